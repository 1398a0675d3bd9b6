"""Verbs that tasks begin with: those of the published task data, and a few of smaller ads."""

from __future__ import annotations

VERBS = """
accept accompany acquire act activate adapt add address adhere adjust administer advise
advocate agree aid align allocate analyze announce answer apply appoint appraise apprehend
approve arrange ask assemble assess assign assist attach attend audit audition authorize
bake balance bathe bend bid bleach bolt bottle break brush buff build bundle calculate
calibrate call care carry carve cash change chase chat check chip choose circulate clamp
classify clean clear climb close coach code collaborate collect communicate compare
compile complete comply compose compute conduct confer connect consider construct consult
contact contract contribute control convert cook cool coordinate copy correct correspond
counsel count couple cover create cure customize cut deal decide decontaminate decorate
define deliver demonstrate describe design determine develop devise diagnose dig direct
disassemble disconnect discuss disinfect dismantle dispose disseminate distinguish
distribute document draft drain draw dress drill drive dump duplicate dust edit educate
employ empty encourage enforce engage ensure enter erect escort establish estimate
evaluate examine exchange exercise explain extract fabricate fasten feed feel file fill
finish fit flag fold follow forecast formulate furnish gather generate give grade greet
grind guide hammer handle hang harvest heat hedge help hire hold identify immerse
implement incorporate inform initiate inject input insert inspect install instruct
integrate interpret interview inventory investigate invigilate issue join keep key knead
lay lead learn lift line listen load locate lock log look lower lubricate mail maintain
make manage manipulate map mark market massage match measure mediate meet mentor mix model
modify mold monitor mop mount move nail negotiate note notify observe obtain offer oil
open operate order organize overhaul oversee pack package page paint participate patrol
pay perform photograph pick place plan play polish position post pour pre prepare
prescribe present press price process procure produce program promote propose protect
provide pull purchase push put question quote raise read reassemble rebuild receive
recommend reconcile record recruit redesign refer refinish refuel register regulate
rehearse relay release remove render rent repair replace report represent request
requisition research reserve resolve respond restock restrain retrieve return review
revise rewire ride roll rotate route rule run sand scan schedule scrape seal search secure
seek select sell send separate serve service set settle sew shade shape sharpen shovel
show shut signal sing slice smooth solder solicit sort speak specialize specify splice
sponsor spray spread sprinkle stack stamp stand start stay steer stock stop store
straighten stretch string study submit suggest supervise supply support survey sweep take
talk tap teach tend test testify thread tidy tie tighten towel trace track train
transcribe transfer translate transmit transport travel treat trim troubleshoot tune turn
tutor type unload update upload use vacuum validate verify visit visually walk warn wash
weigh welcome weld wet whisk withdraw work wrap write
"""
