-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Wireshark dissectors for IPFF, ICMPv5 and every protocol that has a dissector.lua in a folder beside this file.
--
--   wireshark -X lua_script:layers/roamproof.lua capture.pcapng
--
-- or, for good, dofile("/path/to/layers/roamproof.lua") in Wireshark's init.lua. The files load their neighbours: copying
-- this one alone is not enough.

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"

-- The protocols by name, so that what is loaded does not hang on the order in which a file system lists its folders.
local protocols = {}
for name in Dir.open(here) do
  if Dir.exists(here .. name) then protocols[#protocols + 1] = name end
end
table.sort(protocols)

local common = assert(loadfile(here .. "common.lua"))()
for _, name in ipairs(protocols) do
  local path = here .. name .. "/dissector.lua"
  local file = io.open(path)
  if file then
    file:close()
    assert(loadfile(path))(common)
  end
end
common.register_options()
