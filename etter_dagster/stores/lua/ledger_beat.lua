-- A holder lives. ARGV: now, holder, microseconds.

call('SET', key('holder', ARGV[2]), digits(now + tonumber(ARGV[3])))
return 1
