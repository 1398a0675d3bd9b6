-- What is known about a call. ARGV: now, key, part, assessor, role.
-- Gives {newest attempt, its answer, references, text hash that the service may have seen last, cost of
-- all attempts at it}.

local last, answer = {}, false
local id = call('GET', key('call', ARGV[2], ARGV[3]))
if id then
  last = call('HGETALL', key('attempt', id))
  answer = call('GET', key('answer', id))
end
local text, cost = false, 0
local ids = call('LRANGE', key('role', ARGV[4], ARGV[5]), 0, -1)
for i = #ids, 1, -1 do
  local found = call('HMGET', key('attempt', ids[i]), 'outcome', 'text_hash', 'key', 'part', 'cost')
  if not text and found[1] ~= 'refused' and found[1] ~= 'unsent' then text = found[2] end
  if found[3] == ARGV[2] and found[4] == ARGV[3] then cost = cost + tonumber(found[5]) end
end
return {last, answer, call('SMEMBERS', key('references', ARGV[4], ARGV[5])), text, digits(cost)}
