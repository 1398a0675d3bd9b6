-- Looks an idempotency key up and reserves a fresh one. ARGV: now, key, hash of the body, lifetime
-- and longest reservation in microseconds. Gives 'fresh', 'conflict', 'busy', or {answer}.

local name = key('key', ARGV[2])
local found = call('HMGET', name, 'hash', 'answer', 'until')
if not found[1] or tonumber(found[3]) <= now then
  local reserved = math.min(tonumber(ARGV[4]), tonumber(ARGV[5]))
  call('DEL', name)
  call('HSET', name, 'hash', ARGV[3], 'lifetime', ARGV[4], 'until', now + reserved)
  call('PEXPIRE', name, math.ceil(reserved / 1000))
  return 'fresh'
end
if found[1] ~= ARGV[3] then return 'conflict' end
return found[2] and {found[2]} or 'busy'
