"""Job descriptions in every layout that people write them in, each with the tasks that it names."""

# ruff: noqa: E501 (the documents keep their lines)

from __future__ import annotations

from typing import NamedTuple


class Document(NamedTuple):
    """A text, and the tasks that a person reads in it."""

    text: str
    tasks: list[str]


LAYOUTS: dict[str, Document] = {
    "bullets": Document(
        """\
Senior Accountant
Acme Inc. | Chicago, IL

About us
Acme is a leading provider of widgets. We have over 500 employees.

Responsibilities:
• Prepare monthly financial statements
• Reconcile bank accounts and investigate
  differences with the bank
• Support the annual audit

Requirements:
• Bachelor's degree in accounting
• 5+ years of experience
• Proficiency in Excel

Benefits
• Health insurance
• 401(k) match

Acme is an equal opportunity employer. All qualified applicants will receive consideration without regard to race.
""",
        [
            "Prepare monthly financial statements",
            "Reconcile bank accounts and investigate differences with the bank",
            "Support the annual audit",
        ],
    ),
    "numbered sections": Document(
        """\
JOB TITLE: Warehouse Operative

1. PURPOSE OF THE ROLE
To keep goods moving through the warehouse safely.

2. KEY DUTIES
2.1 Unload lorries using a forklift truck
2.2 Check deliveries against the order sheet
2.3. Pick and pack customer orders

3. PERSON SPECIFICATION
3.1 Forklift licence
3.2 Able to lift 25 kg

4. WHAT WE OFFER
4.1 28 days holiday
""",
        [
            "To keep goods moving through the warehouse safely.",
            "Unload lorries using a forklift truck",
            "Check deliveries against the order sheet",
            "Pick and pack customer orders",
        ],
    ),
    "prose": Document(
        """\
Marketing Manager

We are looking for a marketing manager to join our team in Berlin. In this role you will plan and run campaigns across email and social media. You will write copy for the website and brief external agencies. You'll analyse campaign results every month and report them to the board. The marketing manager also manages a team of three and sets the annual budget. You have at least five years of experience in a similar role. We offer a competitive salary and 30 days of holiday. Acme is an equal opportunity employer.
""",
        [
            "In this role you will plan and run campaigns across email and social media.",
            "You will write copy for the website and brief external agencies.",
            "You'll analyse campaign results every month and report them to the board.",
            "The marketing manager also manages a team of three and sets the annual budget.",
        ],
    ),
    "table": Document(
        """\
# Clinical Nurse

| Area | Tasks | Share |
| --- | --- | --- |
| Patient care | Administer medication and monitor vital signs | 50% |
| Records | Document observations in the patient's file | 30% |
| Teaching | Train student nurses on the ward | 20% |

## Qualifications

| Item | Needed |
| --- | --- |
| Licence | Registered nurse licence |
| Experience | Three years in a hospital |
""",
        [
            "Administer medication and monitor vital signs",
            "Document observations in the patient's file",
            "Train student nurses on the ward",
        ],
    ),
    "table of labelled rows": Document(
        """\
| Field | Value |
|---|---|
| Title | Data Engineer |
| Location | Remote |
| Responsibilities | Build data pipelines; Monitor data quality; Document data models |
| Requirements | Python, SQL; 3 years of experience |
| Benefits | Pension; Gym |
""",
        [
            "Build data pipelines",
            "Monitor data quality",
            "Document data models",
        ],
    ),
    "HTML leftovers": Document(
        """\
<h2>What you&#39;ll do</h2><ul><li>Answer customer e-mails &amp; calls</li><li><strong>Escalate</strong> complaints to the supervisor</li></ul>
<p><b>Requirements</b></p><ul><li>Good written English</li></ul><div>Benefits:&nbsp;</div><ul><li>Free lunch</li></ul><p>EEO: We do not discriminate.</p>
""",
        [
            "Answer customer e-mails & calls",
            "Escalate complaints to the supervisor",
        ],
    ),
    "fields and labels in one paragraph": Document(
        """\
Job Title: Office Assistant
Location: Leeds
Duties: Answer the phone, file documents, and order stationery. Greet visitors at the front desk.
Requirements: Friendly manner. Typing 40 wpm.
Benefits: Free parking.
""",
        [
            "Answer the phone, file documents, and order stationery.",
            "Greet visitors at the front desk.",
        ],
    ),
    "lines without marks": Document(
        """\
What you'll do
Design circuit boards for medical devices
Test prototypes in the laboratory
Write technical reports for regulators

What you'll bring
Degree in electrical engineering
Strong communication skills

Perks
Stock options
""",
        [
            "Design circuit boards for medical devices",
            "Test prototypes in the laboratory",
            "Write technical reports for regulators",
        ],
    ),
    "bold labels": Document(
        """\
**The Role**

You will lead the customer success team.

**Key Responsibilities**

* **Onboarding:** Guide new customers through the set-up of the product
* **Reporting** – Prepare quarterly business reviews
* Renewals: negotiate contract renewals

**Who you are**

* Curious and kind
* Fluent in French

**Our benefits**

* Remote work
""",
        [
            "You will lead the customer success team.",
            "Onboarding: Guide new customers through the set-up of the product",
            "Reporting – Prepare quarterly business reviews",
            "Renewals: negotiate contract renewals",
        ],
    ),
    "list inside a sentence": Document(
        """\
Essential Functions include: (1) inspecting aircraft for damage; (2) replacing worn parts; (3) recording repairs in the log; and (4) signing off completed work.

Physical Demands: Must be able to lift 50 pounds. Standing for long periods.

Other duties as assigned.
""",
        [
            "inspecting aircraft for damage",
            "replacing worn parts",
            "recording repairs in the log",
            "signing off completed work.",
        ],
    ),
    "semicolons": Document(
        """\
The post holder will: prepare payroll for 300 staff; answer questions on tax; keep personnel records up to date.

Knowledge, skills and abilities: knowledge of tax law; ability to work under pressure.
""",
        [
            "prepare payroll for 300 staff",
            "answer questions on tax",
            "keep personnel records up to date.",
        ],
    ),
    "no headings": Document(
        """\
- Drive a delivery van in the city
- Load and unload parcels
- Collect signatures from customers
- Valid driving licence required
- We offer overtime pay
""",
        [
            "Drive a delivery van in the city",
            "Load and unload parcels",
            "Collect signatures from customers",
        ],
    ),
    "themes under capital headings": Document(
        """\
KEY ACCOUNTABILITIES

Financial Management
- Prepare the annual budget
- Monitor spending

Training
- Train new staff on expense rules

EXPERIENCE & EDUCATION
- MBA preferred
""",
        [
            "Prepare the annual budget",
            "Monitor spending",
            "Train new staff on expense rules",
        ],
    ),
    "requirements first": Document(
        """\
## Requirements
- 3 years of experience as chef
- Food hygiene certificate
## The job
- Plan the menus for each week
- Order ingredients from suppliers
- Supervise four kitchen staff
## Salary and benefits
- £30,000 a year
## Equal opportunities
We welcome applications from all sections of the community and make adjustments for disabled people.
""",
        [
            "Plan the menus for each week",
            "Order ingredients from suppliers",
            "Supervise four kitchen staff",
        ],
    ),
    "shares of time": Document(
        """\
ESSENTIAL DUTIES AND RESPONSIBILITIES
40% - Develops lesson plans for mathematics classes
30% - Grades homework and examinations
20% Meets parents to discuss progress
10% Other duties as assigned

MINIMUM QUALIFICATIONS
Teaching certificate.
""",
        [
            "Develops lesson plans for mathematics classes",
            "Grades homework and examinations",
            "Meets parents to discuss progress",
        ],
    ),
    "odd line ends and spaces": Document(
        """\
Responsibilities\u2028•\u00a0Write software tests\u2028•\u00a0Review code of colleagues\u2028Benefits\u2028•\u00a0Pension
""",
        [
            "Write software tests",
            "Review code of colleagues",
        ],
    ),
    "everything on one line": Document(
        """\
Responsibilities: • Write software tests • Review code of colleagues • Deploy releases Requirements: • Python • Git Benefits: • Pension
""",
        [
            "Write software tests",
            "Review code of colleagues",
            "Deploy releases",
        ],
    ),
    "boilerplate around prose": Document(
        """\
## About the role
As a Recruiter at Acme, you will source candidates, screen resumes, and schedule interviews. You'll partner with hiring managers to define job requirements.

## Requirements
- Experience in recruiting

## About Acme
Acme makes rockets. We build engines and launch satellites for customers around the world.

## Privacy notice
We process your data according to our policy. Read more on our website.

Acme participates in E-Verify. The pay range for this role is $80,000 - $100,000.
""",
        [
            "As a Recruiter at Acme, you will source candidates, screen resumes, and schedule interviews.",
            "You'll partner with hiring managers to define job requirements.",
        ],
    ),
    "emoji as bullets": Document(
        """\
About the job
Company Description
At Globex, we're reimagining logistics. Founded in 2012, we've grown to 3,000 people in 14 countries.

Job Description
We are seeking a Supply Chain Analyst. Reporting to the Director of Operations, you will be responsible for forecasting demand and optimising inventory.

Your day-to-day:
✅ Forecast demand for 200+ SKUs
✅ Build dashboards in Tableau
✅ Negotiate with carriers

Qualifications
✅ BS in Supply Chain
✅ SQL

Additional Information
All your information will be kept confidential according to EEO guidelines.
""",
        [
            "Reporting to the Director of Operations, you will be responsible for forecasting demand and optimising inventory.",
            "Forecast demand for 200+ SKUs",
            "Build dashboards in Tableau",
            "Negotiate with carriers",
        ],
    ),
    "tabs after bullets": Document(
        """\
Job summary
Are you passionate about policy? Join the Department and help shape the future.

Job description
As a Policy Adviser you will:
•\tdraft briefings and submissions for ministers
•\tanalyse evidence and present options
•\twork with stakeholders across government

Person specification
Essential criteria:
•\tExperience of drafting
•\tAbility to analyse evidence
Desirable criteria:
•\tKnowledge of energy policy

Benefits
Alongside your salary of £34,000, the Department contributes £9,000 towards you being a member of the Civil Service Defined Benefit Pension scheme.
•\tLearning and development
•\tFlexible working
""",
        [
            "draft briefings and submissions for ministers",
            "analyse evidence and present options",
            "work with stakeholders across government",
        ],
    ),
    "hard-wrapped lines": Document(
        """\
POSITION SUMMARY: The Registered Nurse provides direct patient care on a 30-bed
medical-surgical unit, assesses patients' conditions, and coordinates with
physicians to carry out the plan of care.

PRINCIPAL DUTIES AND RESPONSIBILITIES:

   1.  Assesses patients on admission and at least once per
       shift, and documents findings in the chart.
   2.  Administers medications as ordered by the physician, observing
       the rights of medication administration.
   3.  Educates patients and families about
       discharge instructions.

MINIMUM REQUIREMENTS:
   1.  Graduate of an accredited nursing program.
   2.  Current RN license in the State of Ohio.

WORKING CONDITIONS:
   Exposure to blood and body fluids. Must be able to stand for 8 hours.
""",
        [
            "The Registered Nurse provides direct patient care on a 30-bed medical-surgical unit, assesses patients' conditions, and coordinates with physicians to carry out the plan of care.",
            "Assesses patients on admission and at least once per shift, and documents findings in the chart.",
            "Administers medications as ordered by the physician, observing the rights of medication administration.",
            "Educates patients and families about discharge instructions.",
        ],
    ),
    "questions as headings": Document(
        """\
What will you be doing?
Managing a portfolio of clients
Preparing tax computations
Reviewing the work of juniors
What are we looking for?
ACA qualified
Good Excel
What's in it for you?
Bonus
25 days' leave
""",
        [
            "Managing a portfolio of clients",
            "Preparing tax computations",
            "Reviewing the work of juniors",
        ],
    ),
    "columns of a table": Document(
        """\
| Responsibilities | Requirements |
|---|---|
| Clean rooms and make beds | Friendly attitude |
| Report damage to reception | Weekend availability |
""",
        [
            "Clean rooms and make beds",
            "Report damage to reception",
        ],
    ),
    "HTML table": Document(
        """\
<table><tr><th>Responsibilities</th><td>Plan shifts for 20 staff</td></tr><tr><th>Requirements</th><td>HACCP certificate</td></tr></table>
""",
        [
            "Plan shifts for 20 staff",
        ],
    ),
    "nested lists": Document(
        """\
## Duties
- Manage client accounts:
  - Set up new accounts
  - Close old accounts
- Reporting
  1. Prepare monthly reports
  2. Send reports to clients
""",
        [
            "Set up new accounts",
            "Close old accounts",
            "Prepare monthly reports",
            "Send reports to clients",
        ],
    ),
    "facts above prose": Document(
        """\
**Job Type:** Full-time
**Pay:** $20.00 per hour
**Schedule:** Monday to Friday

Cook burgers and fries to order. Keep the grill clean. Restock the walk-in fridge. Must be 18 or older.
""",
        [
            "Cook burgers and fries to order.",
            "Keep the grill clean.",
            "Restock the walk-in fridge.",
        ],
    ),
    "all in capitals": Document(
        """\
JOB PURPOSE
ASSIST THE CHEF IN THE KITCHEN.
DUTIES
PEEL AND CHOP VEGETABLES
WASH DISHES
MOP FLOORS
""",
        [
            "Assist the chef in the kitchen.",
            "Peel and chop vegetables",
            "Wash dishes",
            "Mop floors",
        ],
    ),
    "themes under Markdown headings": Document(
        """\
# Claims Adjuster

## Role Overview
Investigates insurance claims to determine liability.

## Key Responsibilities
### Claims Investigation
- Interview claimants and witnesses
- Inspect damaged property
### Training
- Coach junior adjusters

## Required Skills
### Technical
- Xactimate
## Qualifications
- Bachelor's degree
""",
        [
            "Investigates insurance claims to determine liability.",
            "Interview claimants and witnesses",
            "Inspect damaged property",
            "Coach junior adjusters",
        ],
    ),
}

NO_TASKS: dict[str, str] = {
    "only requirements and benefits": """\
Requirements
- Bachelor's degree
- 5 years of experience
Benefits
- Pension
""",
    "an agenda": """\
Meeting agenda
1. Welcome
2. Minutes
""",
    "only boilerplate": "Acme is an equal opportunity employer. We offer a competitive salary.",
    "numbers": "12 34 56\n78 90",
    "nothing": "",
    "blank": " \n\t\n",
}
