-- SPDX-License-Identifier: GPL-2.0-or-later
-- MOPS: the three ICMPv5 messages and the TCP option MOBILE_CAPABLE.

local common = ...
local define, show, PROTOCOLS, TYPES = common.define, common.show, common.PROTOCOLS, common.ICMPV5_TYPES
local CODES = { [0] = "migrate", [1] = "migrate atomic", [2] = "success", [3] = "failed" }
TYPES[100], TYPES[101], TYPES[102] = "Migrate", "Anycast acknowledgement", "NAT acknowledgement"

local mops = common.protocol("mops", "Mobile Protocol Stack")

common.icmpv5_messages[100] = {
  owner = mops, label = "MOPS",
  message = define(mops, "mops.migrate", {
    { "type", 16, TYPES }, { "checksum", 16, "hex" },
    { "version", 8 }, { "code", 8, CODES }, { "reserved", 16 },
    { "protocol", 14, PROTOCOLS }, { "previous_source", 50, "address" },
    { "count", 14 }, { "migrated_source", 50, "address" },
  }),
  entry = define(mops, "mops.migrate", { { "previous_port", 16 }, { "migrated_port", 16 }, { "identifier", 32 } }),
  summary = function(v)
    return string.format("Migrate (%s) %s > %s", CODES[v.code] or v.code, v.previous_source, v.migrated_source)
  end,
}
common.icmpv5_messages[101] = {
  owner = mops, label = "MOPS",
  message = define(mops, "mops.anycast", {
    { "type", 16, TYPES }, { "checksum", 16, "hex" },
    { "version", 8 }, { "code", 8 }, { "reserved", 16 },
    { "protocol", 14, PROTOCOLS }, { "anycast_destination", 50, "address" },
    { "reserved2", 14 }, { "unicast_destination", 50, "address" },
    { "source_port", 16 }, { "destination_port", 16 },
  }),
  summary = function(v)
    return string.format("Anycast acknowledgement %s is %s", v.anycast_destination, v.unicast_destination)
  end,
}
common.icmpv5_messages[102] = {
  owner = mops, label = "MOPS",
  message = define(mops, "mops.nat", {
    { "type", 16, TYPES }, { "checksum", 16, "hex" },
    { "version", 8 }, { "code", 8 }, { "nat_level", 8 }, { "reserved", 8 },
    { "protocol", 14, PROTOCOLS }, { "original_source", 50, "address" },
    { "count", 14 }, { "translated_source", 50, "address" },
  }),
  entry = define(mops, "mops.nat", { { "original_port", 16 }, { "translated_port", 16 } }),
  summary = function(v)
    return string.format("NAT acknowledgement level %d %s > %s", v.nat_level, v.original_source, v.translated_source)
  end,
}

local capable = define(mops, "mobile_capable", { { "kind", 8 }, { "length", 8 } })
local capable_exid = define(mops, "mobile_capable", { { "exid", 16, "hex" } })
common.finish(mops)
mops.proto.prefs.option_kind = Pref.uint("Option kind of MOBILE_CAPABLE", 254)
mops.proto.prefs.option_exid = Pref.uint("ExID of MOBILE_CAPABLE (unless it has length 2)", 0x4D4F)

common.tcp_option({
  owner = mops, title = "MOBILE_CAPABLE",
  fits = function(tvb, at, kind, length)
    local prefs = mops.proto.prefs
    return kind == prefs.option_kind
      and (length == 2 or (length >= 4 and tvb(at + 2, 2):uint() == prefs.option_exid))
  end,
  show = function(tvb, at, length, tree)
    show(capable, tvb, tree, at)
    if length > 2 then show(capable_exid, tvb, tree, at + 2) end
  end,
})
