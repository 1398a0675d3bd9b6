-- What the ledger's scripts share: attempts and what they cost. Decisions are made in
-- `model/spending.py`; a script that writes what was decided checks that nothing changed meanwhile.
--
--   attempt:<id>         hash; answer:<id>  its raw answer
--   attempts             by id: all
--   call:<key>:<part>    the newest attempt; push:<workflow>:<key>:<part>  those of one push
--   role:<assessor>:<role>  attempts; references:<assessor>:<role>  ids of good answers
--   begun:<assessor>     by time begun; open:<assessor>  hash: holder -> open attempts
--   opened:<holder>      open attempts; subject:<subject>  the same of one subject
--   taken:<subject>      its holder; takes:<holder>  its subjects; holder:<holder>  lives until
--   spent:<period>       hash: company ('' for all) -> money in millionths
--   outcomes, totals     hash: outcome -> attempts; cost ever
--   breaker:<assessor>   state; version  rises when less may be done than before

local function digits(number)
  return string.format('%.0f', number)
end

local function lives(holder)
  return int(call('GET', key('holder', holder))) >= now
end

local FIELDS = {'outcome', 'cost', 'day', 'month', 'company_id', 'assessor', 'holder', 'subject'}

local function read(id)
  local found = call('HMGET', key('attempt', id), unpack(FIELDS))
  if not found[1] then error('no attempt ' .. id) end
  local attempt = {id = id}
  for i, name in ipairs(FIELDS) do attempt[name] = found[i] end
  return attempt
end

-- Adds to the day and month in which the attempt began.
local function spend(attempt, money)
  if money == 0 then return end
  if money > 0 then call('INCR', key('version')) end
  call('HINCRBY', key('spent', attempt.day), '', digits(money))
  call('HINCRBY', key('spent', attempt.month), '', digits(money))
  call('HINCRBY', key('spent', attempt.month), attempt.company_id, digits(money))
  call('HINCRBY', key('totals'), 'cost', digits(money))
end

local function count(hash, field, by)
  if call('HINCRBY', hash, field, by) <= 0 then call('HDEL', hash, field) end
end

-- How an attempt stands from now on; `cost` nil leaves its cost.
local function settle(attempt, outcome, cost, ...)
  if attempt.outcome == 'open' then
    count(key('open', attempt.assessor), attempt.holder, -1)
    call('SREM', key('opened', attempt.holder), attempt.id)
    call('SREM', key('subject', attempt.subject), attempt.id)
  end
  count(key('outcomes'), attempt.outcome, -1)
  call('HINCRBY', key('outcomes'), outcome, 1)
  local money = cost or int(attempt.cost)
  spend(attempt, money - int(attempt.cost))
  call('HSET', key('attempt', attempt.id), 'outcome', outcome, 'cost', digits(money),
    'ended_at', digits(now), ...)
end

local function lose(ids, why)
  for _, id in ipairs(ids) do settle(read(id), 'lost', nil, 'error', why) end
end

local function set_breaker(assessor, before, after)
  if before == after then return true end
  if (call('GET', key('breaker', assessor)) or '') ~= before then return false end
  call('SET', key('breaker', assessor), after)
  call('INCR', key('version'))
  return true
end
