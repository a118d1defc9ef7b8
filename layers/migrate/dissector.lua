-- SPDX-License-Identifier: GPL-2.0-or-later
-- The TCP options of TCP Migrate; the end of the public key stands in Timestamps.

local common = ...
local define, show = common.define, common.show

local migrate = common.protocol("migrate", "TCP Migrate")
local permitted = define(migrate, "permitted", { { "kind", 8 }, { "length", 8 }, { "curve", 8 } })
local permitted_key = define(migrate, "permitted", { { "key", 136, "bytes" } })
local public_key = common.collect(
  migrate, ProtoField.string("permitted.public_key", "public key, the end of it from Timestamps"))
local migrate_syn = define(migrate, "migrate", {
  { "kind", 8 }, { "length", 8 }, { "preload", 1 }, { "reqno", 7 }, { "token", 64, "bytes" }, { "request", 64, "bytes" },
})
common.finish(migrate)

common.tcp_option({
  owner = migrate, title = "Migrate-Permitted", whole_kind = true,
  fits = function(_, _, kind, length) return kind == 15 and length >= permitted.bytes end,
  show = function(tvb, at, length, tree, timestamps)
    show(permitted, tvb, tree, at)
    if length ~= 20 then return end
    local part = show(permitted_key, tvb, tree, at + 3).key
    local whole = timestamps and (part:bytes() .. timestamps:bytes()):tohex(true)
    if whole then tree:add(public_key, part, whole):set_generated() end
  end,
})
common.tcp_option({
  owner = migrate, title = "Migrate", whole_kind = true,
  fits = function(_, _, kind, length) return kind == 16 and length >= migrate_syn.bytes end,
  show = function(tvb, at, _, tree) show(migrate_syn, tvb, tree, at) end,
})
