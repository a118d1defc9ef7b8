-- SPDX-License-Identifier: GPL-2.0-or-later
-- MSOCKS: SOCKS5 up to the CONNECT reply, then RECONNECT.

local common = ...
local define, show = common.define, common.show
local COMMANDS = { [1] = "CONNECT", [2] = "BIND", [3] = "UDP ASSOCIATE", [0x80] = "RECONNECT" }
local ADDRESS_LENGTHS = { [1] = 4, [4] = 16 }
local PORT = 1080

local msocks = common.protocol("msocks", "MSOCKS")
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
local request = socks_message("msocks.request", "cmd", "address", "port", COMMANDS)
local reply = socks_message("msocks.reply", "reply", "bound_address", "bound_port")
local reconnect = socks_message("msocks.reconnect", "cmd", "address", "port", COMMANDS)
local reconnect_reply = socks_message("msocks.reconnect_reply", "reply", "bound_address", "bound_port")
for message, prefix in pairs({ [reconnect] = "msocks.reconnect", [reconnect_reply] = "msocks.reconnect_reply" }) do
  message.counters = define(msocks, prefix, { { "received", 64 }, { "sent", 64 } })
end
common.finish(msocks)
msocks.proto.prefs.port = Pref.uint("TCP port of the proxy", PORT)

local function socks_length(tvb)
  local kind = tvb:len() > 4 and tvb(3, 1):uint() or 0
  local length = kind == 3 and 1 + tvb(4, 1):uint() or ADDRESS_LENGTHS[kind] or 0
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
  if tvb:len() < 2 or tvb(0, 1):uint() ~= 5 then return common.data:call(tvb, pinfo, tree) end
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
    common.data:call(tvb, pinfo, tree)
  end
end

msocks.proto.prefs_changed = common.bind(DissectorTable.get("tcp.port"), msocks, "port")
