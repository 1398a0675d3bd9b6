-- Workers that said something lately. ARGV: now. Gives name, 'free:claiming', time per worker.

local found = {}
local seen = call('ZRANGEBYSCORE', key('seen'), digits(now - WORKER_SEEN_US), '+inf', 'WITHSCORES')
for i = 1, #seen, 2 do
  table.insert(found, {seen[i], call('HGET', key('worker'), seen[i]), seen[i + 1]})
end
return found
