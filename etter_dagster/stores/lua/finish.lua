-- The end of a held push. ARGV: now, id, token, status, time of the end, steps, error, its code,
-- score, measured ('1': it counts for durations). Gives the push, nothing if the lease was lost, or
-- its status where that forbids it.

local push = held(ARGV[2], ARGV[3])
if not push then return {} end
if not may(push, ARGV[4]) then return {push.status} end
let_go(push)
finish(push, ARGV[4], ARGV[5], 'steps', ARGV[6], 'error', ARGV[7], 'error_code', ARGV[8],
  'score', ARGV[9])
if ARGV[10] == '1' then
  local durations = key('durations', push.assessor)
  call('LPUSH', durations, math.max(0, tonumber(ARGV[5]) - tonumber(push.started_us)))
  call('LTRIM', durations, 0, MEASURED - 1)
end
tell()
return call('HGETALL', key('push', push.id))
