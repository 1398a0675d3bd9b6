-- What counts now. ARGV: now, assessor, window in microseconds or 0, calls a window.
-- Gives {now, version, breaker, probing, outstanding, begun, count-th newest beginning}.

local assessor, window, calls = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local outstanding = 0
local open = call('HGETALL', key('open', assessor))
for i = 1, #open, 2 do
  if lives(open[i]) then outstanding = outstanding + int(open[i + 1]) end
end
local breaker = call('GET', key('breaker', assessor)) or ''
local probing = 0
local probe = breaker ~= '' and cjson.decode(breaker).probe
if type(probe) == 'number' then
  local found = call('HMGET', key('attempt', digits(probe)), 'outcome', 'holder')
  if found[1] == 'open' and lives(found[2]) then probing = 1 end
end
local begun, newest = 0, ''
if window > 0 then
  local since = '(' .. digits(now - window)
  begun = call('ZCOUNT', key('begun', assessor), since, '+inf')
  local found = call('ZREVRANGEBYSCORE', key('begun', assessor), '+inf', since, 'WITHSCORES',
    'LIMIT', calls - 1, 1)
  newest = found[2] or ''
end
return {digits(now), call('GET', key('version')) or '0', breaker, probing, outstanding,
  begun, newest}
