-- Queues pushes unless their role has an active one or the queue is full.
-- ARGV: now, capacity, then eleven per push (see `insert`). Gives per push '+', '!' (full), or the
-- id of the active push.

local waiting, room = {}, tonumber(ARGV[2])
for _, lane in ipairs(LANES) do
  waiting[lane] = call('ZCARD', key('waiting', lane))
  room = room - waiting[lane]
end

-- claim_order.served_on_wake: an empty lane that gets a push does not call in old credit.
local function wake(lane)
  local served = int(call('HGET', counters, 'served:' .. lane))
  local virtual = int(call('HGET', counters, 'virtual_time'))
  call('HSET', counters, 'served:' .. lane, math.max(served, math.floor(virtual / COST[lane])))
end

-- claim_order.next_tag.
local function next_tag(lane, company)
  local claimed = int(call('HGET', counters, 'claimed_tag:' .. lane))
  local tag = math.max(claimed, int(call('HGET', key('tags', lane), company)) + 1)
  call('HSET', key('tags', lane), company, tag)
  return tag
end

local answers, queued = {}, false
for at = 3, #ARGV, PER_PUSH do
  local id, role, company, lane = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local active = call('HGET', key('active'), role)
  local answer = '+'
  if call('EXISTS', key('push', id)) == 1 then
    answer = '+'
  elseif active then
    answer = active
  elseif room <= 0 then
    answer = '!'
  else
    if waiting[lane] == 0 then wake(lane) end
    wait(insert(at, next_tag(lane, company)))
    waiting[lane] = waiting[lane] + 1
    room = room - 1
    queued = true
  end
  table.insert(answers, answer)
end
if queued then tell() end
return answers
