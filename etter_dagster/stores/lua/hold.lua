-- Says for how long claims hand out nothing. ARGV: now, microseconds ('' only asks). Gives how long.

if ARGV[2] ~= '' then
  call('HSET', counters, 'held_until', now + tonumber(ARGV[2]))
  tell()
end
return claims_held()
