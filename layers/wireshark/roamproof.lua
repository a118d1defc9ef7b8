-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Wireshark dissectors for IPFF, ICMPv5, MOPS, the TCP options of MOPS, TCP Rehash and TCP Migrate, MSOCKS and SACIP.
--
--   wireshark -X lua_script:roamproof.lua capture.pcapng        (or copy the file to the personal plugins folder)
--
-- A message is a list of fields {name, bits, kind}, which follow each other without a gap. Filter names are the names of
-- the Python layers: mops.migrate.previous_source, rehash.nonce, sacip.new_address, ...

local PROTOCOLS = { [1] = "ICMPv5", [6] = "TCP", [17] = "UDP" }
local ICMPV5_TYPES = {
  [1] = "Destination Unreachable", [2] = "Packet Too Big", [3] = "Hops Exceeded", [4] = "Parameter Problem",
  [5] = "Redirect", [100] = "Migrate", [101] = "Anycast acknowledgement", [102] = "NAT acknowledgement",
  [128] = "Echo Request", [129] = "Echo Reply",
}
local MIGRATE_CODES = { [0] = "migrate", [1] = "migrate atomic", [2] = "success", [3] = "failed" }
local REHASH_CONTROLS = { [0x0001] = "REHASH-INIT", [0x0010] = "REHASH-ADDR" }
local SOCKS_COMMANDS = { [1] = "CONNECT", [2] = "BIND", [3] = "UDP ASSOCIATE", [0x80] = "RECONNECT" }
local SOCKS_ADDRESS_LENGTHS = { [1] = 4, [4] = 16 }
local ETHERTYPE, ICMPV5_OVER_IPFF, ICMPV5_OVER_IPV4, MSOCKS_PORT = 0x88B5, 1, 254, 1080

-- Messages ------------------------------------------------------------------------------------------------------------

local function field_of(abbrev, label, bits, kind)
  if kind == "address" or kind == "text" then return ProtoField.string(abbrev, label) end
  if kind == "ipv4" then return ProtoField.ipv4(abbrev, label) end
  if kind == "bytes" then return ProtoField.bytes(abbrev, label) end
  if kind == "hex" then return ProtoField.uint32(abbrev, label, base.HEX) end
  if bits > 32 then return ProtoField.uint64(abbrev, label) end
  return ProtoField.uint32(abbrev, label, base.DEC, kind)
end

-- Gives the ProtoFields of a list of {name, bits, kind} and collects them for their protocol.
local function define(protocol, prefix, list)
  local message = { prefix = prefix, list = list, fields = {}, bits = 0 }
  local collected = protocol.collected or {}
  for _, field in ipairs(list) do
    local name, bits, kind = field[1], field[2], field[3]
    local proto_field = field_of(prefix .. "." .. name, (name:gsub("_", " ")), bits, kind)
    message.fields[name] = proto_field
    message.bits = message.bits + bits
    collected[#collected + 1] = proto_field
  end
  protocol.collected = collected
  message.bytes = math.floor(message.bits / 8)
  return message
end

local function address(range, bit)
  local parts = {}
  for part = 0, 4 do parts[#parts + 1] = range:bitfield(bit + 10 * part, 10) end
  return table.concat(parts, ".")
end

-- Adds the fields of a message to the tree and returns their values; the caller has seen to the length.
local function show(message, tvb, tree, start)
  local values, bit = {}, start * 8
  for _, field in ipairs(message.list) do
    local name, bits, kind = field[1], field[2], field[3]
    local first, last = math.floor(bit / 8), math.ceil((bit + bits) / 8)
    local range, proto_field = tvb(first, last - first), message.fields[name]
    if kind == "address" then
      values[name] = address(range, bit % 8)
      tree:add(proto_field, range, values[name])
    elseif kind == "ipv4" or kind == "bytes" or bits > 32 then
      values[name] = range
      tree:add(proto_field, range)
    else
      values[name] = range:bitfield(bit % 8, bits)
      tree:add(proto_field, range, values[name])
    end
    bit = bit + bits
  end
  return values
end

local function internet_checksum_ok(tvb)
  local sum = 0
  for at = 0, tvb:len() - 2, 2 do sum = sum + tvb(at, 2):uint() end
  if tvb:len() % 2 == 1 then sum = sum + tvb(tvb:len() - 1, 1):uint() * 256 end
  while sum > 0xFFFF do sum = (sum % 0x10000) + math.floor(sum / 0x10000) end
  return sum == 0xFFFF
end

local function protocol(name, description)
  return { proto = Proto(name, description) }
end

local function finish(owner)
  owner.proto.fields = owner.collected
end

local data = Dissector.get("data")

-- IPFF ----------------------------------------------------------------------------------------------------------------

local ipff = protocol("ipff", "Internet Protocol Five Fields")
local ipff_header = define(ipff, "ipff", {
  { "version", 4 }, { "traffic_class", 8 }, { "flow_label", 20, "hex" },
  { "payload_length", 16 }, { "hop_limit", 8 }, { "reserved", 8 },
  { "protocol", 14, PROTOCOLS }, { "src", 50, "address" },
  { "reserved2", 14 }, { "dst", 50, "address" },
})
finish(ipff)
local malformed =
  ProtoExpert.new("ipff.malformed", "Payload cut short or malformed", expert.group.MALFORMED, expert.severity.ERROR)
ipff.proto.experts = { malformed }
local ipff_protocols = DissectorTable.new("ipff.protocol", "IPFF protocol", ftypes.UINT16, base.DEC)

-- What Wireshark's own dissectors find malformed would come back as an error of this script.
local function guarded(tree, dissect, ...)
  local whole, taken = pcall(dissect, ...)
  if not whole then tree:add_proto_expert_info(malformed) end
  return taken
end

-- An IPv6 address with the same one's complement sum, so that Wireshark's own TCP and UDP verify the checksum.
local function stand_in(range)
  local words = { range:bitfield(14, 2), range(2, 2):uint(), range(4, 2):uint(), range(6, 2):uint() }
  return Address.ipv6(string.format("0:0:0:0:%x:%x:%x:%x", table.unpack(words)))
end

function ipff.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < ipff_header.bytes then return data:call(tvb, pinfo, tree) end
  local subtree = tree:add(ipff.proto, tvb(0, ipff_header.bytes))
  local values = show(ipff_header, tvb, subtree, 0)
  pinfo.src, pinfo.dst = stand_in(tvb(8, 8)), stand_in(tvb(16, 8))
  pinfo.net_src, pinfo.net_dst = pinfo.src, pinfo.dst
  local ends = string.format("%s > %s", values.src, values.dst)
  subtree:append_text(", " .. ends)
  pinfo.cols.protocol, pinfo.cols.info = "IPFF", ""
  local length = math.min(values.payload_length, tvb:len() - ipff_header.bytes)
  if length > 0 then
    local upper = tvb(ipff_header.bytes, length):tvb()
    local taken = guarded(subtree, ipff_protocols.try, ipff_protocols, values.protocol, upper, pinfo, tree)
    if taken == 0 then data:call(upper, pinfo, tree) end
  end
  pinfo.cols.info:prepend(ends .. "  ")
end

-- ICMPv5 and MOPS -----------------------------------------------------------------------------------------------------

local icmpv5 = protocol("icmpv5", "Internet Control Message Protocol for IPFF")
local icmpv5_header = define(icmpv5, "icmpv5", { { "type", 16, ICMPV5_TYPES }, { "checksum", 16, "hex" } })
local icmpv5_ok = ProtoField.bool("icmpv5.checksum_ok", "checksum correct")
icmpv5.collected[#icmpv5.collected + 1] = icmpv5_ok
finish(icmpv5)

local mops = protocol("mops", "Mobile Protocol Stack")
local mops_messages = {
  [100] = {
    message = define(mops, "mops.migrate", {
      { "type", 16, ICMPV5_TYPES }, { "checksum", 16, "hex" },
      { "version", 8 }, { "code", 8, MIGRATE_CODES }, { "reserved", 16 },
      { "protocol", 14, PROTOCOLS }, { "previous_source", 50, "address" },
      { "count", 14 }, { "migrated_source", 50, "address" },
    }),
    entry = define(mops, "mops.migrate", { { "previous_port", 16 }, { "migrated_port", 16 }, { "identifier", 32 } }),
    summary = function(v)
      return string.format("Migrate (%s) %s > %s", MIGRATE_CODES[v.code] or v.code, v.previous_source, v.migrated_source)
    end,
  },
  [101] = {
    message = define(mops, "mops.anycast", {
      { "type", 16, ICMPV5_TYPES }, { "checksum", 16, "hex" },
      { "version", 8 }, { "code", 8 }, { "reserved", 16 },
      { "protocol", 14, PROTOCOLS }, { "anycast_destination", 50, "address" },
      { "reserved2", 14 }, { "unicast_destination", 50, "address" },
      { "source_port", 16 }, { "destination_port", 16 },
    }),
    summary = function(v)
      return string.format("Anycast acknowledgement %s is %s", v.anycast_destination, v.unicast_destination)
    end,
  },
  [102] = {
    message = define(mops, "mops.nat", {
      { "type", 16, ICMPV5_TYPES }, { "checksum", 16, "hex" },
      { "version", 8 }, { "code", 8 }, { "nat_level", 8 }, { "reserved", 8 },
      { "protocol", 14, PROTOCOLS }, { "original_source", 50, "address" },
      { "count", 14 }, { "translated_source", 50, "address" },
    }),
    entry = define(mops, "mops.nat", { { "original_port", 16 }, { "translated_port", 16 } }),
    summary = function(v)
      return string.format("NAT acknowledgement level %d %s > %s", v.nat_level, v.original_source, v.translated_source)
    end,
  },
}
finish(mops)

local function show_entries(entry, count, tvb, tree, at)
  for number = 1, count do
    if at + entry.bytes > tvb:len() then break end
    show(entry, tvb, tree:add(tvb(at, entry.bytes), "Entry " .. number), at)
    at = at + entry.bytes
  end
  return at
end

function icmpv5.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < icmpv5_header.bytes then return data:call(tvb, pinfo, tree) end
  local kind = mops_messages[tvb(0, 2):uint()]
  if kind and tvb:len() < kind.message.bytes then kind = nil end
  local subtree = tree:add(kind and mops.proto or icmpv5.proto, tvb())
  local message = kind and kind.message or icmpv5_header
  local values, at = show(message, tvb, subtree, 0), message.bytes
  pinfo.cols.protocol = kind and "MOPS" or "ICMPv5"
  pinfo.cols.info = kind and kind.summary(values) or ICMPV5_TYPES[values.type] or ("type " .. values.type)
  subtree:append_text(", " .. tostring(pinfo.cols.info))
  subtree:add(icmpv5_ok, tvb(2, 2), internet_checksum_ok(tvb)):set_generated()
  if kind and kind.entry then at = show_entries(kind.entry, values.count, tvb, subtree, at) end
  if at < tvb:len() then data:call(tvb(at):tvb(), pinfo, tree) end
end

-- TCP options ---------------------------------------------------------------------------------------------------------

local options = protocol("mobility_options", "TCP options of transport mobility")
local mobile_capable_short = define(options, "mobile_capable", { { "kind", 8 }, { "length", 8 } })
local mobile_capable_exid = define(options, "mobile_capable", { { "exid", 16, "hex" } })
local rehash = define(options, "rehash", {
  { "kind", 8 }, { "length", 8 }, { "control", 16, REHASH_CONTROLS },
  { "nonce", 32, "hex" }, { "old", 32, "ipv4" }, { "new", 32, "ipv4" },
})
local permitted = define(options, "permitted", { { "kind", 8 }, { "length", 8 }, { "curve", 8 } })
local permitted_key = define(options, "permitted", { { "key", 136, "bytes" } })
local migrate_syn = define(options, "migrate", {
  { "kind", 8 }, { "length", 8 }, { "reqno", 8 }, { "token", 64, "bytes" }, { "request", 64, "bytes" },
})
local public_key = ProtoField.string("permitted.public_key", "public key, the end of it from Timestamps")
options.collected[#options.collected + 1] = public_key
finish(options)
options.proto.prefs.kind = Pref.uint("Option kind of MOBILE_CAPABLE", 254)
options.proto.prefs.exid = Pref.uint("ExID of MOBILE_CAPABLE (with kind 253 or 254)", 0x4D4F)

local function show_option(tvb, at, length, tree, timestamps)
  local kind, prefs = tvb(at, 1):uint(), options.proto.prefs
  local function add(title, message)
    local subtree = tree:add(options.proto, tvb(at, length), title)
    show(message, tvb, subtree, at)
    return subtree
  end
  if kind == prefs.kind and length == 2 then
    add("MOBILE_CAPABLE", mobile_capable_short)
  elseif kind == prefs.kind and length >= 4 and tvb(at + 2, 2):uint() == prefs.exid then
    show(mobile_capable_exid, tvb, add("MOBILE_CAPABLE", mobile_capable_short), at + 2)
  elseif kind == 253 and length >= rehash.bytes then
    add("TCP Rehash", rehash)
  elseif kind == 15 and length >= permitted.bytes then
    local subtree = add("Migrate-Permitted", permitted)
    if length == 20 then
      local part = show(permitted_key, tvb, subtree, at + 3).key
      local whole = timestamps and (part:bytes() .. timestamps:bytes()):tohex(true)
      if whole then subtree:add(public_key, part, whole):set_generated() end
    end
  elseif kind == 16 and length >= migrate_syn.bytes then
    add("Migrate", migrate_syn)
  end
end

local tcp_options = Field.new("tcp.options")

-- Calls back with kind, offset and length of every well-formed option.
local function each_option(tvb, visit)
  local at = 0
  while at < tvb:len() do
    local kind, left = tvb(at, 1):uint(), tvb:len() - at
    if kind == 0 then return end
    local length = kind == 1 and 1 or (left > 1 and tvb(at + 1, 1):uint() or 0)
    if length > left or (kind ~= 1 and length < 2) then return end
    if kind ~= 1 then visit(kind, at, length) end
    at = at + length
  end
end

function options.proto.dissector(_, _, tree)
  for _, info in ipairs({ tcp_options() }) do
    local tvb, timestamps = info.range:tvb(), nil
    each_option(tvb, function(kind, at, length)
      if kind == 8 and length == 10 then timestamps = tvb(at + 2, 8) end
    end)
    each_option(tvb, function(_, at, length) show_option(tvb, at, length, tree, timestamps) end)
  end
end

-- MSOCKS --------------------------------------------------------------------------------------------------------------

local msocks = protocol("msocks", "MSOCKS")
local function socks_message(prefix, second, address_name, port_name, kinds)
  return {
    before = define(msocks, prefix, { { "version", 8 }, { second, 8, kinds }, { "reserved", 8 }, { "address_type", 8 } }),
    host = define(msocks, prefix, { { address_name, 0, "text" } }),
    port = define(msocks, prefix, { { port_name, 16 } }),
    address_name = address_name,
  }
end
local greeting = define(msocks, "msocks.greeting", { { "version", 8 }, { "nmethods", 8 } })
local method = define(msocks, "msocks.greeting", { { "methods", 8 } })
local selection = define(msocks, "msocks.selection", { { "version", 8 }, { "method", 8 } })
local request = socks_message("msocks.request", "cmd", "address", "port", SOCKS_COMMANDS)
local reply = socks_message("msocks.reply", "reply", "bound_address", "bound_port")
local reconnect = socks_message("msocks.reconnect", "cmd", "address", "port", SOCKS_COMMANDS)
local reconnect_reply = socks_message("msocks.reconnect_reply", "reply", "bound_address", "bound_port")
for message, prefix in pairs({ [reconnect] = "msocks.reconnect", [reconnect_reply] = "msocks.reconnect_reply" }) do
  message.counters = define(msocks, prefix, { { "received", 64 }, { "sent", 64 } })
end
finish(msocks)
msocks.proto.prefs.port = Pref.uint("TCP port of the proxy", MSOCKS_PORT)

local function socks_length(tvb)
  local kind = tvb:len() > 4 and tvb(3, 1):uint() or 0
  local length = kind == 3 and 1 + tvb(4, 1):uint() or SOCKS_ADDRESS_LENGTHS[kind] or 0
  return length, 4 + length + 2
end

local function socks_host(tvb, length)
  local kind = tvb(3, 1):uint()
  if kind == 3 then return tvb(5, length - 1):string() end
  if kind == 1 then return tostring(tvb(4, 4):ipv4()) end
  return kind == 4 and tostring(tvb(4, 16):ipv6()) or ""
end

local function show_socks(message, tvb, tree)
  local length, total = socks_length(tvb)
  show(message.before, tvb, tree, 0)
  tree:add(message.host.fields[message.address_name], tvb(4, length), socks_host(tvb, length))
  show(message.port, tvb, tree, 4 + length)
  if message.counters then show(message.counters, tvb, tree, total) end
end

function msocks.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < 2 or tvb(0, 1):uint() ~= 5 then return data:call(tvb, pinfo, tree) end
  local to_proxy = pinfo.dst_port == msocks.proto.prefs.port
  local _, total = socks_length(tvb)
  local second = tvb(1, 1):uint()
  local subtree = tree:add(msocks.proto, tvb())
  pinfo.cols.protocol = "MSOCKS"
  if to_proxy and second == 0x80 and tvb:len() >= total + 16 then
    show_socks(reconnect, tvb, subtree)
  elseif to_proxy and tvb:len() == 2 + second then
    show(greeting, tvb, subtree, 0)
    for at = 2, tvb:len() - 1 do show(method, tvb, subtree, at) end
  elseif not to_proxy and tvb:len() == 2 then
    show(selection, tvb, subtree, 0)
  elseif not to_proxy and tvb:len() == total + 16 then
    show_socks(reconnect_reply, tvb, subtree)
  elseif tvb:len() >= total then
    show_socks(to_proxy and request or reply, tvb, subtree)
  else
    data:call(tvb, pinfo, tree)
  end
end

-- SACIP ---------------------------------------------------------------------------------------------------------------

local sacip = protocol("sacip", "Session Aware Change of IP")
local sacip_header = define(sacip, "sacip", { { "type", 8 }, { "code", 8 }, { "checksum", 16, "hex" } })
local sacip_address = define(sacip, "sacip", { { "new_address", 32, "ipv4" } }).fields.new_address
local sacip_ok = ProtoField.bool("sacip.checksum_ok", "checksum correct")
sacip.collected[#sacip.collected + 1] = sacip_ok
finish(sacip)
sacip.proto.prefs.captured = Pref.bool("New address has its bytes reversed, as in the captured frames", true)
local icmp = Dissector.get("icmp")

function sacip.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < 8 or tvb(0, 1):uint() ~= 20 then return guarded(tree, icmp.call, icmp, tvb, pinfo, tree) end
  local subtree = tree:add(sacip.proto, tvb())
  show(sacip_header, tvb, subtree, 0)
  local captured, range = sacip.proto.prefs.captured, tvb(4, 4)
  subtree[captured and "add_le" or "add"](subtree, sacip_address, range)
  subtree:add(sacip_ok, tvb(2, 2), internet_checksum_ok(tvb)):set_generated()
  pinfo.cols.protocol = "SACIP"
  pinfo.cols.info = "new address " .. tostring(captured and range:le_ipv4() or range:ipv4())
end

-- Where they hang -----------------------------------------------------------------------------------------------------

ipff.proto.prefs.ethertype = Pref.uint("EtherType", ETHERTYPE)
icmpv5.proto.prefs.ipff = Pref.uint("IPFF protocol number", ICMPV5_OVER_IPFF)
icmpv5.proto.prefs.ipv4 = Pref.uint("IPv4 protocol number", ICMPV5_OVER_IPV4)

-- Binds now and again whenever the preference changes.
local function bind(dissector_table, owner, preference)
  local bound
  local function rebind()
    if bound then dissector_table:remove(bound, owner.proto) end
    bound = owner.proto.prefs[preference]
    dissector_table:add(bound, owner.proto)
  end
  rebind()
  return rebind
end

local ip_protocols = DissectorTable.get("ip.proto")
ipff.proto.prefs_changed = bind(DissectorTable.get("ethertype"), ipff, "ethertype")
msocks.proto.prefs_changed = bind(DissectorTable.get("tcp.port"), msocks, "port")
local rebind_ipff, rebind_ipv4 = bind(ipff_protocols, icmpv5, "ipff"), bind(ip_protocols, icmpv5, "ipv4")
function icmpv5.proto.prefs_changed()
  rebind_ipff()
  rebind_ipv4()
end
ipff_protocols:add(6, Dissector.get("tcp"))
ipff_protocols:add(17, Dissector.get("udp"))
ip_protocols:add(1, sacip.proto)
register_postdissector(options.proto)
