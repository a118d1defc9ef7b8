-- SPDX-License-Identifier: GPL-2.0-or-later
-- SACIP: the notification, ICMPv4 type 20; every other type goes on to Wireshark's own dissector.

local common = ...

local sacip = common.protocol("sacip", "Session Aware Change of IP")
local sacip_header = common.define(sacip, "sacip", { { "type", 8 }, { "code", 8 }, { "checksum", 16, "hex" } })
local sacip_address = common.define(sacip, "sacip", { { "new_address", 32, "ipv4" } }).fields.new_address
local sacip_ok = common.collect(sacip, ProtoField.bool("sacip.checksum_ok", "checksum correct"))
common.finish(sacip)
sacip.proto.prefs.captured = Pref.bool("New address has its bytes reversed, as in the captured frames", true)
local icmp = Dissector.get("icmp")

function sacip.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < 8 or tvb(0, 1):uint() ~= 20 then return common.guarded(tree, icmp.call, icmp, tvb, pinfo, tree) end
  local subtree = tree:add(sacip.proto, tvb())
  common.show(sacip_header, tvb, subtree, 0)
  local captured, range = sacip.proto.prefs.captured, tvb(4, 4)
  subtree[captured and "add_le" or "add"](subtree, sacip_address, range)
  subtree:add(sacip_ok, tvb(2, 2), common.internet_checksum_ok(tvb)):set_generated()
  pinfo.cols.protocol = "SACIP"
  pinfo.cols.info = "new address " .. tostring(captured and range:le_ipv4() or range:ipv4())
end

DissectorTable.get("ip.proto"):add(1, sacip.proto)
