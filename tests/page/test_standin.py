"""The page on the real workspace of this machine, with a Slack app connected over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin
from tests.doubles.slack import GENERAL, MAYA, bolt_app, client_of, connected, running
from tests.page.samples import REVIEW, plain
from tests.page.workspace import PIXEL

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def standin() -> AsyncIterator[Standin]:
    async with running(ack_seconds=3.0, note="A recorded model speaks here.") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def client(standin: Standin) -> AsyncIterator[AsyncWebClient]:
    async with client_of(standin) as made:
        yield made


async def open_page(page: Page, standin: Standin, route: str = f"#/{GENERAL}") -> None:
    await page.goto(f"{standin.url}/{route}")
    await expect(page.locator("#app[data-connection=live]")).to_be_visible()


async def test_a_typed_mention_reaches_the_app_and_its_stream_is_read_live(
    page: Page, standin: Standin, client: AsyncWebClient
) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    app = bolt_app(standin, client)

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any]) -> None:
        heard.put_nowait(event)

    @app.event("message")
    async def said() -> None: ...

    async with connected(standin, app):
        await open_page(page, standin)
        await page.locator("#composer").fill("@Director is a < b & c?")
        await page.locator("#composer").press("Enter")
        event = await asyncio.wait_for(heard.get(), 10)
        assert event["text"] == f"<@{standin.bot_user_id}> is a &lt; b &amp; c?"
        await expect(page.locator("#room .message .prose")).to_have_text("@Director is a < b & c?")
        to = {"recipient_user_id": MAYA, "recipient_team_id": standin.team_id}
        await client.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=event["ts"], status="is thinking …")
        await expect(page.locator("#thread .status")).to_have_text("Director is thinking …")
        stream = await client.chat_startStream(channel=GENERAL, thread_ts=event["ts"], markdown_text="**Yes**", **to)
        words = page.locator(f'#thread [data-ts="{stream["ts"]}"] .content')
        await expect(words.locator("strong")).to_have_text("Yes")
        await expect(words.locator(".caret")).to_have_count(1)
        await client.chat_appendStream(channel=GENERAL, ts=stream["ts"], markdown_text=", it is")
        await expect(words).to_have_text("Yes, it is")
        await client.chat_stopStream(channel=GENERAL, ts=stream["ts"], markdown_text=".")
        await expect(words).to_have_text("Yes, it is.")
        await expect(words.locator(".caret")).to_have_count(0)
        await expect(page.locator("#room .replies b")).to_have_text("1 reply")
        await expect(page.locator(".status")).to_have_count(0)


async def test_each_answer_opens_beside_its_question_but_takes_no_reply_away(
    page: Page, standin: Standin, client: AsyncWebClient
) -> None:
    await open_page(page, standin)

    async def ask(question: str) -> None:
        await page.locator("#composer").fill(question)
        await page.locator("#composer").press("Enter")
        message = page.locator("#room .message").filter(has_text=question)
        ts = await message.get_attribute("data-ts")
        await client.chat_postMessage(channel=GENERAL, thread_ts=ts, text=f"answer to {question}")
        await expect(message.locator(".replies b")).to_have_text("1 reply")

    await ask("first")
    await expect(page.locator("#thread")).to_contain_text("answer to first")
    await ask("second")
    await expect(page.locator("#thread")).to_contain_text("answer to second")
    await page.locator("#thread-composer").fill("a reply being written")
    await ask("third")
    await expect(page.locator("#thread")).to_contain_text("answer to second")
    await expect(page.locator("#thread-composer")).to_have_value("a reply being written")


async def test_a_review_with_table_and_chart_stands(page: Page, standin: Standin, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=GENERAL, text="review", blocks=REVIEW)
    await open_page(page, standin)
    content = page.locator("#room .message .content")
    drawn = await content.locator("> *").evaluate_all("nodes => nodes.map(node => node.dataset.block)")
    assert drawn == [block["type"] for block in REVIEW]
    await expect(content.locator("figure.chart path.stroke")).to_have_count(3)
    await expect(page.locator(".banner")).to_have_text("A recorded model speaks here.")


async def test_a_command_a_modal_and_a_click_go_round(page: Page, standin: Standin, client: AsyncWebClient) -> None:
    app = bolt_app(standin, client)
    entered: list[str] = []
    clicked: asyncio.Queue[str] = asyncio.Queue()
    view = {
        "type": "modal",
        "callback_id": "plan",
        "title": plain("New plan"),
        "submit": plain("Plan it"),
        "blocks": [
            {
                "type": "input",
                "block_id": "what",
                "label": plain("What?"),
                "element": {"type": "plain_text_input", "action_id": "text"},
            }
        ],
    }

    @app.command("/director")
    async def command(ack: Any, body: dict[str, Any]) -> None:
        if body["text"] == "plan":
            await client.views_open(trigger_id=body["trigger_id"], view=view)
            await ack()
        else:
            await ack(f"you said “{body['text']}”")

    @app.view("plan")
    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        value = view["state"]["values"]["what"]["text"]["value"]
        entered.append(value)
        if len(value) < 5:
            await ack(response_action="errors", errors={"what": "Say a little more."})
        else:
            await ack()

    @app.action("acknowledge")
    async def acknowledged(ack: Any, action: dict[str, Any]) -> None:
        await ack()
        clicked.put_nowait(action["value"])

    async with connected(standin, app):
        await client.chat_postMessage(channel=GENERAL, text="review", blocks=REVIEW)
        await open_page(page, standin)
        composer = page.locator("#composer")
        await composer.fill("/director status checkout")
        await composer.press("Enter")
        await expect(page.locator(".message.ephemeral .prose")).to_have_text("you said “status checkout”")
        await composer.fill("/director plan")
        await composer.press("Enter")
        modal = page.get_by_role("dialog", name="New plan")
        await modal.get_by_role("textbox").fill("abc")
        await modal.get_by_role("button", name="Plan it").click()
        await expect(modal.locator(".field-error:not(:empty)")).to_have_text("Say a little more.")
        await modal.get_by_role("textbox").fill("abcdef")
        await modal.get_by_role("button", name="Plan it").click()
        await expect(modal).to_have_count(0)
        assert entered == ["abc", "abcdef"]
        await page.get_by_role("button", name="Acknowledge").click()
        assert await asyncio.wait_for(clicked.get(), 10) == "review-47"


async def test_the_home_view_is_shown_when_it_is_published(
    page: Page, standin: Standin, client: AsyncWebClient
) -> None:
    app = bolt_app(standin, client)

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        view = {"type": "home", "blocks": [{"type": "header", "text": plain("What I can do")}]}
        await client.views_publish(user_id=event["user"], view=view)

    async with connected(standin, app):
        await open_page(page, standin, "#/D0MAYA/home")
        await expect(page.get_by_role("region", name="Home").get_by_role("heading")).to_have_text("What I can do")


async def test_the_director_is_invited_into_a_channel(page: Page, standin: Standin) -> None:
    await open_page(page, standin, "#/C0RANDOM")
    absence = page.get_by_text("Director isn’t in this channel")
    await expect(absence).to_be_visible()
    await page.locator("#composer").fill("/invite @Director")
    await page.locator("#composer").press("Enter")
    await expect(absence).to_be_hidden()
    await expect(page.locator(".message .prose")).to_have_text("joined the channel")


async def test_an_uploaded_picture_is_shown(page: Page, standin: Standin, client: AsyncWebClient) -> None:
    uploaded = await client.files_upload_v2(filename="chart.png", content=PIXEL, title="Budgets")
    picture = {"type": "image", "alt_text": "Budgets as a chart", "slack_file": {"id": uploaded["files"][0]["id"]}}
    await client.chat_postMessage(channel=GENERAL, text="chart", blocks=[picture])
    await open_page(page, standin)
    shown = page.get_by_role("img", name="Budgets as a chart")
    await expect(shown).to_have_js_property("naturalWidth", 1)


async def test_what_only_others_may_see_is_not_shown(page: Page, standin: Standin, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel=GENERAL, user="U0OMAR", text="for Omar")
    await client.chat_postEphemeral(channel=GENERAL, user=MAYA, text="for Maya")
    await open_page(page, standin)
    await expect(page.locator(".message .prose")).to_have_text(["for Maya"])
