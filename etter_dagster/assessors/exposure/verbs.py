"""Verbs that tasks begin with."""

from __future__ import annotations

from functools import lru_cache

# Those that begin several of the published tasks, and a few of smaller ads.
COMMON = """
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
# Those that begin one of them, and what job descriptions of today say besides.
FURTHER = """
access admit advance advertise affix alert alter anchor anticipate apportion arbitrate
architect archive arrest assimilate attempt authenticate automate award backfill bag baste
benchmark bill bind blast blend block blow bond book bore brace braze brew brief bring
buckle budget butcher buy cable calve cancel capture catalogue catch cement chain chair
challenge champion chaperone chart claim cleanse clip collate comb combine comfort comment
commission compact compound compress conceptualize configure confirm confiscate conserve
consolidate converse convey cooperate countersink craft crank crossbreed cue cultivate
curl debate debit debug decline decrease delineate demagnetize deploy deposit depress
deputize descend designate detain detect diagram dip discard discharge discipline disclose
dislodge dismount dispatch dispense display distress divide dock download drape dry dye
eliminate embalm embed emphasize empower enable encode encrypt engineer engrave enhance
enroll entertain escalate etch euthanize evacuate excavate execute exhibit expand explore
expose extend extinguish facilitate film find fix flush fly foster freeze fulfill garnish
gauge glue govern grant grill groom grow guarantee guard hand harmonize haul hear herd
hoist homogenize hook host ignite immobilize immunize import impose imprint improve
improvise incise increase induce inflate influence inoculate inquire inspire institute
insure interact interrupt intervene interweave introduce invoice iron irrigate isolate
itemize iterate judge kill kindle label laminate land launch layout lend liaise link list
lobby localize maneuver mask maximize melt memorize mend merge milk minimize moderate
moisten motivate network nominate nurture obey officiate onboard optimize originate
outline own pace park partner pat patch peel perforate personalize persuade petition phone
pilot pitch playtest plot plug portray pose practice precast predict preheat prepack
preprocess preserve preside pretest prevent prime print prioritize probate project
proofread prototype provision prune pry publish pulverize pump punch purge quantify query
radio raze reassure rebook recognize recondition recover reduce reel reengineer reface
refactor referee refill refine reformat refuse reinforce reinstall reline remediate remind
remount renew reorganize replenish replicate reposition reprint reproduce rescue reset
restore restrict resurface retouch retract retrain retrofit rewind rework rewrap rewrite
rig rinse roster rough roughen safeguard salvage sample sanitize saw scale score screed
screen script scrub seat seed segregate seize sentence sever shackle shampoo shave shift
ship shoot shortlist shrink sight sign simulate sketch skim slaughter slide slit soak
soften solve source sow spearhead spec split spot staff stage stain standardize staple
steam stencil sterilize steward stir stitch streamline strengthen strike strip stun
subcontract substitute summarize summon superimpose suspend sustain suture swage switch
sync synchronize synthesize tackle tag tailor tape target taste tear tell terminate thin
ticket tilt tint tow transplant transpose trap triage typeset unblock unbolt unclamp
undertake undress unlock unpack unroll unscrew upgrade uphold upsell utilize vet view vote
watch waterproof wax whip whiten win wipe wire witness
"""


def is_verb(word: str) -> bool:
    """Whether a word in lower case may be a form of one of them: "carries", "running"."""
    return not forms(word).isdisjoint(_verbs(COMMON + FURTHER))


def is_common_verb(word: str) -> bool:
    """The same of the common ones alone."""
    return not forms(word).isdisjoint(_verbs(COMMON))


@lru_cache(maxsize=2)
def _verbs(words: str) -> frozenset[str]:
    return frozenset(words.split())


@lru_cache(maxsize=4096)
def forms(word: str) -> frozenset[str]:
    """The word, and what it may be a form of: "carries", "fixes", "running", "organises"."""
    found = {word, word.removesuffix("s"), word.removesuffix("es")}
    if word.endswith("ies"):
        found.add(f"{word[:-3]}y")
    if word.endswith("ing"):
        stem = word[:-3]
        found |= {stem, f"{stem}e"}
        if len(stem) > 2 and stem[-1] == stem[-2]:
            found.add(stem[:-1])
    found |= {f"{form[:-3]}ize" for form in found if form.endswith("ise")}
    if any(form in ("analyse", "catalyse") for form in found):
        found.add("analyze")
    return frozenset(found)
