-- A held push back to its place. ARGV: now, id, token, whom it waits for from now on or ''. Gives 1,
-- or 0 if the lease was lost.

local push = held(ARGV[2], ARGV[3])
if not push then return 0 end
if ARGV[4] ~= '' then
  push.assessor = ARGV[4]
  call('HSET', key('push', push.id), 'assessor', push.assessor)
end
give_back(push)
tell()
return 1
