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
accelerate access admit advance advertise affix alert alter amplify anchor annotate
anticipate apportion arbitrate architect archive arrest articulate assimilate assure
attempt authenticate automate award backfill backtest bag baste benchmark bill bind blast
blend block blow bond book bore brace braze brew bridge brief bring broker buckle budget
butcher buy cable calve cancel capture cascade catalog catalogue catch cement centralize
certify chain chair challenge champion chaperone chart chop claim clarify cleanse clip
collate comb combine comfort comment commission compact compound compress conceptualize
configure confirm confiscate conserve consolidate contextualize convene converse convey
cooperate countersink craft crank critique crossbreed cue cultivate curate curl debate
debit debug decline decrease deepen delineate demagnetize deploy deposit depress deputise
deputize descend designate detain detect diagram digitize dip discard discharge discipline
disclose dislodge dismount dispatch dispense display distil distress diversify divide dock
download drape dry dye ease elevate elicit eliminate embalm embed emphasize empower enable
encode encrypt engineer engrave enhance enrich enroll entertain envision equip escalate
etch euthanize evacuate evangelize excavate execute exhibit expand expedite explore expose
extend extinguish facilitate film finalize find fix flush fly foster freeze fry fulfil
fulfill fundraise garnish gauge glue govern grant grill groom grow guarantee guard hand
harmonise harmonize haul head hear helm herd hoist homogenize hook host ideate ignite
immobilize immunize import impose imprint improve improvise incise increase induce induct
inflate influence initialize inoculate inquire inspire instil institute institutionalize
insure interact interrupt intervene interweave introduce invent invoice iron irrigate
isolate itemize iterate judge keynote kill kindle label laminate land launch layout lend
leverage liaise link list lobby localize maneuver mask maximise maximize melt memorize
mend merge migrate milk minimise minimize mitigate mobilize moderate moisten monetize
motivate narrate navigate network nominate nurture obey officiate offload onboard
operationalize optimise optimize orchestrate originate outline own pace park parse partner
pat patch peel perforate personalize persuade petition phone pilot pitch playtest plot
plug populate portray pose practice precast predict preheat prepack preprocess preserve
preside pretest prevent prime print prioritize probate project proofread prototype
provision prune pry publish pulverize pump punch purge qualify quantify query radio
rationalise raze realise reassure rebook recognize recondition recover reduce reel
reengineer reface refactor referee refill refine reflect reformat refuse reimagine
reinforce reinstall reline remediate remind remount renew reorganize replenish replicate
reposition reprint reproduce rescue reset restore restrict restructure resurface retain
retouch retract retrain retrofit revamp rewind rework rewrap rewrite rig rinse roster
rough roughen safeguard salvage sample sanitize saw scale score screed screen script
scrub seat seed segment segregate seize sentence sever shackle shadow shampoo shave
shepherd shift ship shoot shortlist showcase shrink sight sign signpost simplify simulate
sketch skim slaughter slide slit soak soften solve source sow spearhead spec specialise
split spot staff stage stain standardise standardize staple steam stencil sterilize
steward stir stitch storyboard strategize streamline strengthen strike strip structure
stun subcontract substitute subtitle summarise summarize summon superimpose suspend
sustain suture swage swap switch sync synchronize synthesise synthesize systematise
tabulate tackle tag tailor tape target taste tear tell terminate thin ticket tilt
timetable tint tow transact transform transplant transpose trap triage typeset unblock
unbolt unclamp uncover undertake undress unify unlock unpack unroll unscrew upgrade uphold
upsell upskill utilise utilize vet view visualize volunteer vote waive watch waterproof
wax weave whip whiten widen win wipe wire witness workshop wrangle
"""


def is_verb(word: str) -> bool:
    """Whether a word in lower case may be a form of one of them: "carries", "running"."""
    return not forms(word).isdisjoint(_verbs(COMMON + FURTHER))


def is_common_verb(word: str) -> bool:
    """The same of the common ones alone."""
    return not forms(word).isdisjoint(_verbs(COMMON))


@lru_cache(maxsize=4096)
def base_of(word: str) -> str | None:
    """The verb that a word is a form of, in lower case; None if it may be none of them.

    Args:
        word: Of either case.
    """
    known = forms(word.lower()) & _verbs(COMMON + FURTHER)
    if word.lower() in known:
        return word.lower()
    return max(known, key=lambda verb: (len(verb), verb), default=None)


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
