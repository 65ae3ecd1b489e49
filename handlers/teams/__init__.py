"""The Microsoft Teams edge: activities in, Adaptive Cards out. Needs the extra `backend-director[teams]`.

app.py                               the edge put together: `build` for a bot, `playground` for the demo
sdk.py                               the only import of Microsoft's SDK

In: what Teams sends to /api/messages
endpoint.py, tokens.py               who calls, from which tenant, and whether the token is Bot Framework's
meaning.py, origin.py, words.py      what an activity means, where it comes from, what was typed
listening.py, invokes.py             into the inbox, and what whoever clicked sees at once
conversations.py, people.py          where the Director can speak, and who the people are

Out: what the Director answers
delivery.py, private.py              one answer, standing once, before all or for the asker alone
live.py, partial.py                  the answer while it is made, and how much of an unfinished text may be shown
render.py                            which parts stand in which message, within Teams' limits
text.py, prose.py                    Markdown as Teams shows it, read as structure first
cards.py, tables.py, runs.py         parts, tables and words on an Adaptive Card
drawing.py                           a message's card with its charts as pictures
activity.py, outgoing.py, pace.py    a message as Teams takes it, as well as Teams takes it, as often as Teams takes it
room.py, wire.py, trouble.py           where an answer goes; the calls to the Bot Connector; what goes wrong with them
credentials.py, http.py              the bot's own token; HTTP calls bounded in time
playground.py                        where Microsoft's playground differs from Teams

bundle.py                            the app package that `director manifest --teams` builds
"""
