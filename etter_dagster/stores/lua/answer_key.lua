-- Keeps the first answer for the key's lifetime, or, with none, forgets the reservation.
-- ARGV: now, key, answer ('' for none).

local name = key('key', ARGV[2])
local found = call('HMGET', name, 'lifetime', 'answer')
if not found[1] or found[2] then return end
if ARGV[3] == '' then
  call('DEL', name)
else
  call('HSET', name, 'answer', ARGV[3], 'until', now + tonumber(found[1]))
  call('PEXPIRE', name, math.ceil(tonumber(found[1]) / 1000))
end
