-- Takes expired leases back, then hands out pushes in the order of claim_order, under the limits.
-- ARGV: now, worker, n, limit in flight, limit per company, lease in microseconds, run id, places
-- asked for, number of closed assessors, their names, the paid assessor, then closed companies.
-- Gives {token, push, request} per push.

local worker, per_company = ARGV[2], tonumber(ARGV[5])
local changed = false

local expired = call('ZRANGEBYSCORE', leases, '-inf', '(' .. digits(now), 'LIMIT', 0, AT_ONCE)
for _, id in ipairs(expired) do
  local push = read(id)
  local lost = int(push.lost) + 1
  let_go(push)
  if lost >= MAX_LEASES then
    -- The words of the error are made of these facts where the push is read.
    finish(push, 'failed', now, 'lost', lost, 'error_code', GIVEN_UP, 'lost_in', push.step or '')
  else
    enter(push, 'queued', 'lost', lost)
    call('HDEL', key('push', id), 'step', 'worker')
    wait(push)
  end
  changed = true
end

-- Behind a company's first push, which must wait, may stand one that need not: `deep` looks there.
local closed_assessors, closed_companies, deep = {}, {}, tonumber(ARGV[9]) > 0
local first_company = 11 + tonumber(ARGV[9])
local paid = ARGV[first_company - 1]
for i = 10, first_company - 2 do closed_assessors[ARGV[i]] = true end
for i = first_company, #ARGV do
  local company = ARGV[i]
  closed_companies[company] = true
  local waits = int(call('HGET', key('backlog', paid), company))
  deep = deep or int(call('HGET', backlog, company)) > waits
end

local function may_start(push)
  if closed_assessors[push.assessor] then return false end
  return not (push.assessor == paid and closed_companies[push.company])
end

local served, passed, tags, held_by = {}, {}, {}, {}
for _, lane in ipairs(LANES) do
  served[lane] = int(call('HGET', counters, 'served:' .. lane))
  passed[lane] = 0
end

local function places_of(company)
  held_by[company] = held_by[company] or int(call('HGET', in_flight, company))
  return per_company - held_by[company]
end

-- The lane's next push whose company has a place. Companies only fill up here, and a new head comes
-- behind the one taken, so the full ones passed over stay passed over.
local function first_free(lane)
  local list = deep and 'waiting' or 'heads'
  while true do
    local head = call('ZRANGE', key(list, lane), passed[lane], passed[lane])[1]
    if not head then return nil end
    local push = read(id_of(head))
    if places_of(push.company) > 0 and may_start(push) then return push end
    passed[lane] = passed[lane] + 1
  end
end

-- claim_order.next_lane, over lanes that have a push to give.
local function next_push()
  local best, least
  for _, lane in ipairs(LANES) do
    local push = first_free(lane)
    local cost = (served[lane] + 1) * COST[lane]
    if push and (not least or cost < least) then best, least = push, cost end
  end
  return best
end

local claims = {}
local n = math.min(tonumber(ARGV[3]), tonumber(ARGV[4]) - call('ZCARD', leases))
if claims_held() > 0 then n = 0 end
local virtual = int(call('HGET', counters, 'virtual_time'))
while #claims < n do
  local push = next_push()
  if not push then break end
  unwait(push)
  local token = hold(push, worker, tonumber(ARGV[6]), ARGV[7])
  held_by[push.company] = held_by[push.company] + 1
  served[push.lane] = served[push.lane] + 1
  virtual = math.max(virtual, served[push.lane] * COST[push.lane])
  tags[push.lane] = math.max(tags[push.lane] or 0, tonumber(push.tag))
  table.insert(claims, {token, call('HGETALL', key('push', push.id)),
    call('GET', key('request', push.id))})
end
for lane, tag in pairs(tags) do
  local before = int(call('HGET', counters, 'claimed_tag:' .. lane))
  call('HSET', counters, 'served:' .. lane, served[lane], 'virtual_time', virtual,
    'claimed_tag:' .. lane, math.max(before, tag))
end

-- Idle workers ask often; they must not write (and so wake each other) each time.
if #claims > 0 then see(worker, math.max(0, tonumber(ARGV[8]) - #claims), 1) end
if changed or #claims > 0 then tell() end
return claims
