-- Gives back what a worker holds beside what it knows of: the answer to its claim was lost.
-- ARGV: now, worker, then ids that it knows of.

local known = {}
for at = 3, #ARGV do known[ARGV[at]] = true end
local changed = false
for _, id in ipairs(call('SMEMBERS', key('held', ARGV[2]))) do
  if not known[id] then
    give_back(read(id))
    changed = true
  end
end
if changed then tell() end
return 1
