-- The breaker's next state. ARGV: now, assessor, before, after. Gives 1, or 0 where it is another by now.

return set_breaker(ARGV[2], ARGV[3], ARGV[4]) and 1 or 0
