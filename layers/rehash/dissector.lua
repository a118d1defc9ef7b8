-- SPDX-License-Identifier: GPL-2.0-or-later
-- The TCP Rehash option.

local common = ...
local CONTROLS = { [0x0001] = "REHASH-INIT", [0x0010] = "REHASH-ADDR" }

local rehash = common.protocol("rehash", "TCP Rehash")
local option = common.define(rehash, "rehash", {
  { "kind", 8 }, { "length", 8 }, { "control", 16, CONTROLS },
  { "nonce", 32, "hex" }, { "old", 32, "ipv4" }, { "new", 32, "ipv4" },
})
common.finish(rehash)

common.tcp_option({
  owner = rehash, title = "TCP Rehash", whole_kind = true,
  fits = function(_, _, kind, length) return kind == 253 and length >= option.bytes end,
  show = function(tvb, at, _, tree) common.show(option, tvb, tree, at) end,
})
