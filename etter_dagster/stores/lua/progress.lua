-- Live progress of a held push. ARGV: now, id, token, steps, current step. Gives 1, or 0 if the lease
-- was lost.

local push = held(ARGV[2], ARGV[3])
if not push then return 0 end
write(push, 'steps', ARGV[4], 'step', ARGV[5])
tell()
return 1
