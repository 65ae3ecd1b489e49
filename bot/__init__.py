"""The Director of Backend Engineering.

domain.py, ports.py   the words and the ports that all rooms share
settings.py           environment + director.yml -> one frozen value
director.py           the use cases; worker.py takes turns from the inbox and delivers answers
conversation/         one turn with the model: memory, tools, facts, the outgoing gate
reliability/          OpenSLO files, metrics, remembered hours, budgets, states, forecasts, reviews, alert rules
planning/             plans: schema, drafting, versions
schedules.py          "review every monday 09:00 Europe/Berlin"
references.py         where conversations of Teams are reached; feedback.py what people said of answers
rights.py             who may do what; commands.py what is asked with which words
persona/, demo/       agent cards; the sample company
__main__.py           the composition root, the only module that imports handlers and storage
"""
