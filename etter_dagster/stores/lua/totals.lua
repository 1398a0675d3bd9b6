-- Counts of all listed pushes without looking at those that wait or are held. ARGV: now, how many
-- ended ones to pass over. Gives {whether there are more; status, code and number}.

local start, tally, found = tonumber(ARGV[2]), {}, {}
if start == 0 then
  local queued = 0
  for _, lane in ipairs(LANES) do queued = queued + call('ZCARD', key('waiting', lane)) end
  tally['queued:'] = queued
  tally['processing:'] = call('ZCARD', leases)
end
local ended = call('ZRANGE', key('outbox'), start, start + AT_ONCE - 1)
for _, id in ipairs(ended) do
  local push = call('HMGET', key('push', id), 'status', 'error_code')
  local group = push[1] .. ':' .. (push[2] or '')
  tally[group] = (tally[group] or 0) + 1
end
for group, number in pairs(tally) do
  if number > 0 then table.insert(found, {group, number}) end
end
return {#ended == AT_ONCE and 1 or 0, found}
