-- SPDX-License-Identifier: GPL-2.0-or-later
-- Example: greetings.

local common = ...

local greeting = common.protocol("greeting", "Example greeting")
local header = common.define(greeting, "greeting", { { "kind", 8 }, { "reserved", 8 }, { "number", 16 } })
common.finish(greeting)

function greeting.proto.dissector(tvb, pinfo, tree)
  if tvb:len() < header.bytes then return 0 end
  local values = common.show(header, tvb, tree:add(greeting.proto, tvb()), 0)
  pinfo.cols.protocol = "Example"
  pinfo.cols.info = "greeting " .. tostring(values.number)
end

DissectorTable.get("ip.proto"):add(253, greeting.proto)
