-- What is known about a call. ARGV: now, key, part, assessor, role.
-- Gives {newest attempt, its answer, references, text hash that the service may have seen last}.

local last, answer = {}, false
local id = call('GET', key('call', ARGV[2], ARGV[3]))
if id then
  last = call('HGETALL', key('attempt', id))
  answer = call('GET', key('answer', id))
end
local text = false
local ids = call('LRANGE', key('role', ARGV[4], ARGV[5]), 0, -1)
for i = #ids, 1, -1 do
  local found = call('HMGET', key('attempt', ids[i]), 'outcome', 'text_hash')
  if found[1] ~= 'refused' and found[1] ~= 'unsent' then
    text = found[2]
    break
  end
end
return {last, answer, call('SMEMBERS', key('references', ARGV[4], ARGV[5])), text}
