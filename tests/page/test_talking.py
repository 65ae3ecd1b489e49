"""What a person says and does on the page, and what the workspace hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.workspace import DIRECT, DIRECTOR, GENERAL, MAYA, OLD, OMAR, PAYMENTS, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def open_page(page: Page, workspace: Workspace, route: str = f"#/{GENERAL}") -> None:
    await page.goto(f"{workspace.url}/{route}")
    await expect(page.locator("#app[data-connection=live]")).to_be_visible()


async def test_a_mention_is_sent_as_a_reference_and_appears(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    composer = page.get_by_role("combobox", name="Message #general")
    await composer.fill("@Director is a < b && “ok”?")
    await composer.press("Enter")
    assert await workspace.posted("say") == {
        "user": MAYA,
        "channel": GENERAL,
        "text": f"<@{DIRECTOR}> is a &lt; b &amp;&amp; “ok”?",
    }
    message = page.locator(".message").filter(has_text="is a < b && “ok”?")
    await expect(message.locator(".mention")).to_have_text("@Director")
    await expect(message.locator(".author b")).to_have_text("Maya Lindqvist")
    await expect(composer).to_have_value("")


async def test_shift_enter_breaks_the_line_and_does_not_send(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    composer = page.locator("#composer")
    await composer.press_sequentially("one")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("two")
    await expect(composer).to_have_value("one\ntwo")
    assert workspace.sent == []


async def test_names_complete_with_the_keyboard(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    composer = page.locator("#composer")
    await composer.press_sequentially("ask @om")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["@Omar Haddad"])
    await composer.press("Enter")
    await expect(composer).to_have_value("ask @Omar Haddad ")
    await composer.press_sequentially("please")
    await composer.press("Enter")
    assert (await workspace.posted("say"))["text"] == f"ask <@{OMAR}> please"


async def test_commands_complete_with_their_hints(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    composer = page.locator("#composer")
    await composer.press_sequentially("/dir")
    options = page.get_by_role("listbox").get_by_role("option")
    await expect(options.locator("b")).to_have_text(
        [
            "/director",
            "/director help",
            "/director status [service]",
            "/director review",
            "/director digest",
            "/director plan <initiative>",
            "/director schedule …",
        ]
    )
    await composer.press_sequentially("ector pl")
    await expect(options.locator("b")).to_have_text(["/director plan <initiative>"])
    await composer.press("Tab")
    await expect(composer).to_have_value("/director plan ")
    await composer.press_sequentially("move refunds")
    await composer.press("Enter")
    assert await workspace.posted("command") == {
        "user": MAYA,
        "channel": GENERAL,
        "command": "/director",
        "text": "plan move refunds",
    }


async def test_an_unknown_command_is_kept_and_explained(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    composer = page.locator("#composer")
    await composer.fill("/deploy now")
    await composer.press("Enter")
    await expect(page.locator(".composer-error")).to_have_text("“/deploy” is not a command here. There is /director.")
    await expect(composer).to_have_value("/deploy now")
    assert workspace.sent == []


async def test_a_message_that_was_refused_stays_in_the_composer(page: Page, workspace: Workspace) -> None:
    workspace.refuse["say"] = "rate_limited"
    await open_page(page, workspace)
    composer = page.locator("#composer")
    await composer.fill("hello")
    await composer.press("Enter")
    await expect(page.locator(".composer-error")).to_have_text("The workspace refused this: rate_limited")
    await expect(composer).to_have_value("hello")


async def test_the_director_is_invited_as_in_slack(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace, "#/C0RANDOM")
    absence = page.get_by_text("Director isn’t in this channel")
    await expect(absence).to_be_visible()
    await page.locator("#composer").fill("/invite @Director")
    await page.locator("#composer").press("Enter")
    assert await workspace.posted("command") == {
        "user": MAYA,
        "channel": "C0RANDOM",
        "command": "/invite",
        "text": "@Director",
    }
    await expect(absence).to_be_hidden()


async def test_a_suggestion_goes_into_the_composer_and_is_not_sent(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await page.get_by_role("button", name="@Director how is checkout doing?").click()
    await expect(page.locator("#composer")).to_have_value("@Director how is checkout doing?")
    await expect(page.locator("#composer")).to_be_focused()
    assert workspace.sent == []


async def test_the_answer_streams_into_the_thread_of_the_question(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await page.locator("#composer").fill("@Director how is checkout?")
    await page.locator("#composer").press("Enter")
    await workspace.posted("say")
    asked = next(iter(workspace.messages[GENERAL]))
    await workspace.push(
        {"type": "status", "channel": GENERAL, "thread_ts": asked, "status": "is looking up budgets …"}
    )
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.locator(".status")).to_have_text("Director is looking up budgets …")
    answer: dict[str, Any] = {"thread_ts": asked, "streaming": True, "blocks": markdown("**checkout** has")}
    ts = await workspace.message(GENERAL, DIRECTOR, "**checkout** has", **answer)
    words = thread.locator(f'[data-ts="{ts}"] .content')
    await expect(words.locator("strong")).to_have_text("checkout")
    await expect(words.locator(".caret")).to_have_count(1)
    await expect(thread.locator(".status")).to_have_count(0)
    await workspace.change(GENERAL, ts, blocks=markdown("**checkout** has 18.4 % left"))
    await expect(words).to_have_text("checkout has 18.4 % left")
    await workspace.change(GENERAL, ts, streaming=False, blocks=markdown("**checkout** has 18.4 % left."))
    await expect(words).to_have_text("checkout has 18.4 % left.")
    await expect(words.locator(".caret")).to_have_count(0)
    await expect(page.locator("#room .replies b")).to_have_text("1 reply")


def markdown(text: str) -> list[dict[str, Any]]:
    return [{"type": "markdown", "text": text}]


async def test_a_reply_in_the_thread_pane_goes_to_the_thread(page: Page, workspace: Workspace) -> None:
    root = await workspace.message(PAYMENTS, OMAR, "A root")
    await open_page(page, workspace, f"#/{PAYMENTS}/{root}")
    composer = page.get_by_role("combobox", name="Reply …")
    await composer.fill("and mine")
    await composer.press("Enter")
    assert await workspace.posted("say") == {"user": MAYA, "channel": PAYMENTS, "text": "and mine", "thread_ts": root}
    await composer.fill("/director help")
    await composer.press("Enter")
    await expect(page.locator("#thread .composer-error")).to_have_text(
        "Commands can’t be used in threads. Use the channel’s own message box."
    )


async def test_only_its_reader_sees_an_ephemeral_message(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await workspace.message(GENERAL, DIRECTOR, "not for Maya", to=OMAR)
    await workspace.message(GENERAL, DIRECTOR, "status for Maya", to=MAYA)
    mine = page.locator(".message.ephemeral")
    await expect(mine).to_have_count(1)
    await expect(mine.locator(".only-you")).to_contain_text("Only visible to you")
    await expect(mine.locator(".prose")).to_have_text("status for Maya")
    await mine.get_by_role("button", name="Dismiss").click()
    await expect(mine).to_have_count(0)


async def test_speaking_as_someone_else_speaks_in_their_name(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await page.get_by_role("combobox", name="Speak as").select_option(OMAR)
    await expect(page.locator("#app[data-connection=live]")).to_be_visible()
    await page.locator("#composer").fill("it is me")
    await page.locator("#composer").press("Enter")
    assert (await workspace.posted("say"))["user"] == OMAR
    await expect(page.locator(".message .author b")).to_have_text(["Omar Haddad"])


async def test_a_private_channel_is_shown_to_its_members_only(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    board = page.locator(".entry .name", has_text="board")
    await expect(page.locator(".entry .name")).to_have_text(
        ["general", "payments", "random", "leads", "old-project", "Director"]
    )
    await expect(board).to_have_count(0)
    await page.get_by_role("combobox", name="Speak as").select_option(OMAR)
    await expect(board).to_have_count(1)


async def test_unread_messages_are_marked_until_their_channel_is_opened(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await workspace.message(PAYMENTS, DIRECTOR, "first news")
    await workspace.message(PAYMENTS, DIRECTOR, "second news")
    entry = page.locator(f'.entry[href="#/{PAYMENTS}"]')
    await expect(entry.locator(".badge")).to_have_text("2")
    assert (await page.title()).startswith("(2) #general")
    await entry.click()
    await expect(page.locator(".new-mark + .message .prose")).to_have_text("first news")
    await expect(entry.locator(".badge")).to_have_count(0)


async def test_an_archived_channel_can_only_be_read(page: Page, workspace: Workspace) -> None:
    await workspace.message(OLD, OMAR, "the last word")
    await open_page(page, workspace, f"#/{OLD}")
    await expect(page.locator(".message .prose")).to_have_text("the last word")
    await expect(page.get_by_text("This channel is archived")).to_be_visible()
    await expect(page.locator("#composer")).to_have_count(0)


async def test_a_direct_message_has_a_home_tab(page: Page, workspace: Workspace) -> None:
    workspace.home = {
        "id": "V1",
        "type": "home",
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "What I can do"}}],
    }
    await open_page(page, workspace, f"#/{DIRECT}")
    await page.get_by_role("link", name="Home").click()
    assert await workspace.posted("home") == {"user": MAYA}
    await expect(page.get_by_role("region", name="Home").get_by_role("heading")).to_have_text("What I can do")
    await page.get_by_role("link", name="Messages").click()
    await page.locator("#composer").fill("hello")
    await page.locator("#composer").press("Enter")
    assert await workspace.posted("say") == {"user": MAYA, "channel": DIRECT, "text": "hello"}


async def test_a_lost_connection_is_told_and_nothing_is_lost_or_doubled(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    first = await workspace.message(GENERAL, DIRECTOR, "before", streaming=True)
    await expect(page.locator(".message")).to_have_count(1)
    workspace.refuse_sockets = True
    await workspace.drop()
    await expect(page.locator(".offline")).to_have_text("Connection lost. Trying again …")
    await workspace.change(GENERAL, first, text="before, and whole now", streaming=False)
    await workspace.message(GENERAL, OMAR, "said meanwhile")
    workspace.refuse_sockets = False
    await expect(page.locator("#app[data-connection=live]")).to_be_visible()
    await workspace.message(GENERAL, OMAR, "said after")
    await expect(page.locator(".message .prose")).to_have_text(
        ["before, and whole now", "said meanwhile", "said after"]
    )
    await expect(page.locator(".offline")).to_have_text("")
    await expect(page.locator(".caret")).to_have_count(0)


async def test_a_draft_is_kept_while_one_looks_elsewhere(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await page.locator("#composer").fill("half a thought")
    await page.locator(f'.entry[href="#/{PAYMENTS}"]').click()
    await expect(page.locator("#composer")).to_have_value("")
    await page.locator(f'.entry[href="#/{GENERAL}"]').click()
    await expect(page.locator("#composer")).to_have_value("half a thought")
