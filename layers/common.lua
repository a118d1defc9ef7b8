-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- What the dissectors of all protocols share: messages as lists of fields, IPFF, UDPv5, ICMPv5, the walk over TCP options.
--
-- A message is a list of fields {name, bits, kind}, which follow each other without a gap. Filter names are the names of
-- the Python layers: ipff.payload_length, ...

local common = { data = Dissector.get("data") }
local PROTOCOLS = { [1] = "ICMPv5", [6] = "TCP", [17] = "UDP" }
-- A protocol with messages of its own adds their types.
local ICMPV5_TYPES = {
  [1] = "Destination Unreachable", [2] = "Packet Too Big", [3] = "Hops Exceeded", [4] = "Parameter Problem",
  [5] = "Redirect", [128] = "Echo Request", [129] = "Echo Reply",
}
local ETHERTYPE, ICMPV5_OVER_IPFF, ICMPV5_OVER_IPV4 = 0x88B5, 1, 254
common.PROTOCOLS, common.ICMPV5_TYPES = PROTOCOLS, ICMPV5_TYPES
local data = common.data

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
function common.define(protocol, prefix, list)
  local message = { prefix = prefix, list = list, fields = {}, bits = 0 }
  for _, field in ipairs(list) do
    local name, bits, kind = field[1], field[2], field[3]
    local proto_field = field_of(prefix .. "." .. name, (name:gsub("_", " ")), bits, kind)
    message.fields[name] = proto_field
    message.bits = message.bits + bits
    common.collect(protocol, proto_field)
  end
  message.bytes = math.floor(message.bits / 8)
  return message
end

-- Adds a field to those that the protocol registers when it is finished.
function common.collect(protocol, proto_field)
  protocol.collected[#protocol.collected + 1] = proto_field
  return proto_field
end

local function address(range, bit)
  local parts = {}
  for part = 0, 4 do parts[#parts + 1] = range:bitfield(bit + 10 * part, 10) end
  return table.concat(parts, ".")
end

-- Adds the fields of a message to the tree and returns their values; the caller has seen to the length.
function common.show(message, tvb, tree, start)
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

-- `sum` is that of a pseudo-header, where there is one.
function common.internet_checksum_ok(tvb, sum)
  sum = sum or 0
  for at = 0, tvb:len() - 2, 2 do sum = sum + tvb(at, 2):uint() end
  if tvb:len() % 2 == 1 then sum = sum + tvb(tvb:len() - 1, 1):uint() * 256 end
  while sum > 0xFFFF do sum = (sum % 0x10000) + math.floor(sum / 0x10000) end
  return sum == 0xFFFF
end

function common.protocol(name, description)
  return { proto = Proto(name, description), collected = {} }
end

function common.finish(owner)
  owner.proto.fields = owner.collected
end

-- Binds now, and once more whenever the function that it returns is called after a change of the preference.
function common.bind(dissector_table, owner, preference)
  local bound
  local function rebind()
    if bound then dissector_table:remove(bound, owner.proto) end
    bound = owner.proto.prefs[preference]
    dissector_table:add(bound, owner.proto)
  end
  rebind()
  return rebind
end

local define, show = common.define, common.show

-- IPFF ----------------------------------------------------------------------------------------------------------------

local ipff = common.protocol("ipff", "Internet Protocol Five Fields")
local draft_header = define(ipff, "ipff", {
  { "version", 4 }, { "reserved", 10 }, { "src", 50, "address" },
  { "protocol", 14, PROTOCOLS }, { "dst", 50, "address" },
  { "hops_to_live", 8 }, { "type_of_service", 8 }, { "payload_length", 16 },
})
draft_header.src_at, draft_header.dst_at = 0, 8
-- The Protocol stands four times as high in the pseudo-header as in that of IPv6.
draft_header.protocol_weight = 4
local earlier_header = define(ipff, "ipff24", {
  { "version", 4 }, { "traffic_class", 8 }, { "flow_label", 20, "hex" },
  { "payload_length", 16 }, { "hop_limit", 8 }, { "reserved", 8 },
  { "protocol", 14, PROTOCOLS }, { "src", 50, "address" },
  { "reserved2", 14 }, { "dst", 50, "address" },
})
earlier_header.src_at, earlier_header.dst_at, earlier_header.protocol_weight = 8, 16, 1
common.finish(ipff)
local malformed =
  ProtoExpert.new("ipff.malformed", "Payload cut short or malformed", expert.group.MALFORMED, expert.severity.ERROR)
ipff.proto.experts = { malformed }
local ipff_protocols = DissectorTable.new("ipff.protocol", "IPFF protocol", ftypes.UINT16, base.DEC)
local TCP, UDP = 6, 17

-- What Wireshark's own dissectors find malformed would come back as an error of this script.
function common.guarded(tree, dissect, ...)
  local whole, taken = pcall(dissect, ...)
  if not whole then tree:add_proto_expert_info(malformed) end
  return taken
end

local function address_words(range)
  return range:bitfield(14, 2), range(2, 2):uint(), range(4, 2):uint(), range(6, 2):uint()
end

local function address_sum(range)
  local first, second, third, fourth = address_words(range)
  return first + second + third + fourth
end

-- An IPv6 address with the same one's complement sum, and `more`, so that Wireshark's own TCP and UDP verify the checksum.
local function stand_in(range, more)
  return Address.ipv6(string.format("%x:0:0:0:%x:%x:%x:%x", more, address_words(range)))
end

-- What is known of the header below while its payload is dissected: the sum of a pseudo-header for protocol and length.
local pseudo_header_sum

function ipff.proto.dissector(tvb, pinfo, tree)
  local header = ipff.proto.prefs.header == 1 and earlier_header or draft_header
  if tvb:len() < header.bytes then return data:call(tvb, pinfo, tree) end
  local subtree = tree:add(ipff.proto, tvb(0, header.bytes))
  local values = show(header, tvb, subtree, 0)
  local src, dst = tvb(header.src_at, 8), tvb(header.dst_at, 8)
  local weight = header.protocol_weight
  local upper_is_plain = values.protocol == TCP or values.protocol == UDP
  pinfo.src = stand_in(src, upper_is_plain and values.protocol * (weight - 1) or 0)
  pinfo.dst = stand_in(dst, 0)
  pinfo.net_src, pinfo.net_dst = pinfo.src, pinfo.dst
  local ends = string.format("%s > %s", values.src, values.dst)
  subtree:append_text(", " .. ends)
  pinfo.cols.protocol, pinfo.cols.info = "IPFF", ""
  local length = math.min(values.payload_length, tvb:len() - header.bytes)
  if length > 0 then
    local addresses = address_sum(src) + address_sum(dst)
    function pseudo_header_sum(protocol, octets) return addresses + protocol * weight + octets end
    local upper = tvb(header.bytes, length):tvb()
    local taken = common.guarded(subtree, ipff_protocols.try, ipff_protocols, values.protocol, upper, pinfo, tree)
    if taken == 0 then data:call(upper, pinfo, tree) end
    pseudo_header_sum = nil
  end
  pinfo.cols.info:prepend(ends .. "  ")
end

-- UDPv5 ---------------------------------------------------------------------------------------------------------------

local udpv5 = common.protocol("udpv5", "User Datagram Protocol for IPFF")
local udpv5_header = define(udpv5, "udpv5", { { "sport", 16 }, { "dport", 16 }, { "chksum", 16, "hex" } })
local udpv5_ok = common.collect(udpv5, ProtoField.bool("udpv5.checksum_ok", "checksum correct"))
common.finish(udpv5)

function udpv5.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < udpv5_header.bytes then return data:call(tvb, pinfo, tree) end
  local subtree = tree:add(udpv5.proto, tvb(0, udpv5_header.bytes))
  local values = show(udpv5_header, tvb, subtree, 0)
  pinfo.cols.protocol, pinfo.cols.info = "UDPv5", string.format("%d > %d", values.sport, values.dport)
  local below = pseudo_header_sum and pseudo_header_sum(UDP, tvb:len())
  subtree:add(udpv5_ok, tvb(4, 2), common.internet_checksum_ok(tvb, below)):set_generated()
  if tvb:len() > udpv5_header.bytes then data:call(tvb(udpv5_header.bytes):tvb(), pinfo, tree) end
end

local function readings(...)
  local list = {}
  for number, name in ipairs({ ... }) do list[number] = { number, name, number - 1 } end
  return list
end

ipff.proto.prefs.ethertype = Pref.uint("EtherType", ETHERTYPE)
ipff.proto.prefs.header = Pref.enum("Header", 0, "", readings("draft-00", "24-byte"))
ipff.proto.prefs.udp = Pref.enum("UDP", 0, "", readings("v5", "rfc768"))
local rebind_ethertype = common.bind(DissectorTable.get("ethertype"), ipff, "ethertype")
local function rebind_udp()
  ipff_protocols:set(UDP, ipff.proto.prefs.udp == 1 and Dissector.get("udp") or udpv5.proto)
end
function ipff.proto.prefs_changed()
  rebind_ethertype()
  rebind_udp()
end
ipff_protocols:add(TCP, Dissector.get("tcp"))
rebind_udp()

-- ICMPv5 --------------------------------------------------------------------------------------------------------------

local icmpv5 = common.protocol("icmpv5", "Internet Control Message Protocol for IPFF")
local icmpv5_header = define(icmpv5, "icmpv5", { { "type", 16, ICMPV5_TYPES }, { "checksum", 16, "hex" } })
local icmpv5_ok = common.collect(icmpv5, ProtoField.bool("icmpv5.checksum_ok", "checksum correct"))
common.finish(icmpv5)

-- What a protocol adds, by type: {owner, label, message, summary(values), entry}. `owner` is the protocol, `label` what
-- the column shows; `entry` is a message that follows as often as the field "count" says, or nil.
common.icmpv5_messages = {}

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
  local kind = common.icmpv5_messages[tvb(0, 2):uint()]
  if kind and tvb:len() < kind.message.bytes then kind = nil end
  local subtree = tree:add(kind and kind.owner.proto or icmpv5.proto, tvb())
  local message = kind and kind.message or icmpv5_header
  local values, at = show(message, tvb, subtree, 0), message.bytes
  pinfo.cols.protocol = kind and kind.label or "ICMPv5"
  pinfo.cols.info = kind and kind.summary(values) or ICMPV5_TYPES[values.type] or ("type " .. values.type)
  subtree:append_text(", " .. tostring(pinfo.cols.info))
  local covers_below = pseudo_header_sum and icmpv5.proto.prefs.checksum == 0
  local below = covers_below and pseudo_header_sum(icmpv5.proto.prefs.pseudo_protocol, tvb:len())
  subtree:add(icmpv5_ok, tvb(2, 2), common.internet_checksum_ok(tvb, below or 0)):set_generated()
  if kind and kind.entry then at = show_entries(kind.entry, values.count, tvb, subtree, at) end
  if at < tvb:len() then data:call(tvb(at):tvb(), pinfo, tree) end
end

icmpv5.proto.prefs.ipff = Pref.uint("IPFF protocol number", ICMPV5_OVER_IPFF)
icmpv5.proto.prefs.ipv4 = Pref.uint("IPv4 protocol number", ICMPV5_OVER_IPV4)
icmpv5.proto.prefs.checksum = Pref.enum("Checksum in IPFF", 0, "", readings("pseudo-header", "plain"))
icmpv5.proto.prefs.pseudo_protocol = Pref.uint("Protocol in the pseudo-header", ICMPV5_OVER_IPFF)
local rebind_ipff = common.bind(ipff_protocols, icmpv5, "ipff")
local rebind_ipv4 = common.bind(DissectorTable.get("ip.proto"), icmpv5, "ipv4")
function icmpv5.proto.prefs_changed()
  rebind_ipff()
  rebind_ipv4()
end

-- TCP options ---------------------------------------------------------------------------------------------------------

-- What a protocol adds: {owner, title, fits(tvb, at, kind, length), show(tvb, at, length, tree, timestamps), whole_kind}.
-- Of the options that fit, one with `whole_kind` comes last: the others know theirs by more than its kind.
local tcp_options = {}

function common.tcp_option(option)
  tcp_options[#tcp_options + 1] = option
end

local function show_option(tvb, at, length, tree, timestamps)
  local kind, found = tvb(at, 1):uint(), nil
  for _, option in ipairs(tcp_options) do
    if option.fits(tvb, at, kind, length) and (not found or found.whole_kind) then found = option end
  end
  if found then
    found.show(tvb, at, length, tree:add(found.owner.proto, tvb(at, length), found.title), timestamps)
  end
end

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

-- Done by the loader after the last protocol.
function common.register_options()
  local options = Proto("mobility_options", "TCP options of transport mobility")
  local field = Field.new("tcp.options")
  function options.dissector(_, _, tree)
    for _, info in ipairs({ field() }) do
      local tvb, timestamps = info.range:tvb(), nil
      each_option(tvb, function(kind, at, length)
        if kind == 8 and length == 10 then timestamps = tvb(at + 2, 8) end
      end)
      each_option(tvb, function(_, at, length) show_option(tvb, at, length, tree, timestamps) end)
    end
  end
  register_postdissector(options)
end

return common
