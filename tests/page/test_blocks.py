"""Every kind of block is drawn as it was sent; clicks, menus and modals say what was chosen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.page.samples import REVIEW, chart, every_block, mrkdwn, plain
from tests.page.test_talking import markdown, open_page
from tests.page.workspace import DIRECTOR, GENERAL, MAYA, Workspace

MINUS = "\N{MINUS SIGN}"

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def posted(page: Page, workspace: Workspace, blocks: list[dict[str, Any]]) -> Locator:
    """The content of a message with these blocks, on the page."""
    ts = await workspace.message(GENERAL, DIRECTOR, "fallback", blocks=blocks)
    await open_page(page, workspace)
    content = page.locator(f'#room [data-ts="{ts}"] .content')
    await expect(content).to_be_visible()
    return content


async def test_every_kind_of_block_is_drawn_in_its_order(page: Page, workspace: Workspace) -> None:
    blocks = every_block()
    content = await posted(page, workspace, blocks)
    drawn = await content.locator("> *").evaluate_all("nodes => nodes.map(node => node.dataset.block)")
    assert drawn == [block["type"] for block in blocks]
    await expect(content.locator('[data-block="carousel"]')).to_have_text(
        "Block “carousel” is of a kind that this page doesn’t draw."
    )
    await expect(content.locator(".unknown-block")).to_have_count(1)
    await expect(content.locator(".unknown-inline")).to_have_count(0)


async def test_markdown_is_drawn_with_its_structure(page: Page, workspace: Workspace) -> None:
    text = (
        "# Title\n\nOne **bold** _it_ ***both*** ~~no~~ `a*b*` 2 * 3 snake_case_name\nnext line\n\n"
        "1. first\n   - inner **x**\n   - inner two\n2. second\n\n> quote\n> goes on\n\n"
        "| a | b |\n|:--|--:|\n| `x|y` | **2** |\n\n```js\nif (a < b) {}\n```\n\n"
        "[doc](https://example.com/a_(b)) <@U0MAYA>"
    )
    content = await posted(page, workspace, markdown(text))
    html = await content.locator('[data-block="markdown"]').evaluate(
        """node => { const copy = node.cloneNode(true);
        for (const each of copy.querySelectorAll('*')) for (const name of each.getAttributeNames())
            if (!['href', 'class'].includes(name)) each.removeAttribute(name);
        return copy.innerHTML; }"""
    )
    assert html == (
        "<h3>Title</h3>"
        "<p>One <strong>bold</strong> <em>it</em> <strong><em>both</em></strong> <s>no</s> <code>a*b*</code> 2 * 3 "
        "snake_case_name<br>next line</p>"
        "<ol><li>first<ul><li>inner <strong>x</strong></li><li>inner two</li></ul></li><li>second</li></ol>"
        "<blockquote><p>quote<br>goes on</p></blockquote>"
        '<div class="table-scroll"><table class="grid"><thead><tr><th>a</th><th class="to-right">b</th></tr></thead>'
        '<tbody><tr><td class="brief"><code>x|y</code></td><td class="to-right brief"><strong>2</strong></td></tr>'
        "</tbody></table></div>"
        "<pre><code>if (a &lt; b) {}</code></pre>"
        '<p><a href="https://example.com/a_(b)">doc</a> <span class="mention me">@Maya Lindqvist</span></p>'
    )


async def test_mrkdwn_is_drawn_as_slack_means_it(page: Page, workspace: Workspace) -> None:
    text = (
        "*bold* _it_ ~no~ **not bold** a*b*c &lt;b&gt; &amp;amp; <https://example.com/?a=1&amp;b=2|label> "
        ":tada: :nope:\n"
        "&gt; quoted\nafter <#C0PAYMENTS> <!here>\n```x &lt; y```"
    )
    content = await posted(page, workspace, [{"type": "section", "text": mrkdwn(text)}])
    html = await content.locator(".prose").evaluate(
        """node => { const copy = node.cloneNode(true);
        for (const each of copy.querySelectorAll('*')) for (const name of each.getAttributeNames())
            if (name !== 'href') each.removeAttribute(name);
        return copy.innerHTML; }"""
    )
    assert html == (
        "<p><strong>bold</strong> <em>it</em> <s>no</s> **not bold** a*b*c &lt;b&gt; &amp;amp; "
        '<a href="https://example.com/?a=1&amp;b=2">label</a> <span>🎉</span> :nope:</p>'
        "<blockquote><p>quoted</p></blockquote>"
        '<p>after <a href="#/C0PAYMENTS">#payments</a> <span>@here</span></p>'
        "<pre><code>x &lt; y</code></pre>"
    )


async def test_a_chart_shows_each_series_with_gaps_and_negative_values(page: Page, workspace: Workspace) -> None:
    days = ["Mon", "Tue", "Wed", "Thu"]
    lines = ("checkout", [96, 84.5, 41, 18.4]), ("search", [31.4, -4.1, None, -12.3])
    content = await posted(page, workspace, [chart("line", "Error budget left", days, *lines, y="%")])
    figure = content.locator("figure.chart")
    await expect(figure.locator("figcaption")).to_have_text("Error budget left")
    await expect(figure.locator(".legend li")).to_have_text(["checkout", "search"])
    await expect(figure.locator(".series.s0 path.stroke")).to_have_count(1)
    await expect(figure.locator(".series.s1 path.stroke")).to_have_count(2)  # the missing day divides the line
    await expect(figure.locator(".tick", has_text=f"{MINUS}25")).to_have_count(1)
    await expect(figure.locator(".zero")).to_have_count(1)
    rows = await figure.locator(".sr-only tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["Mon", "96", "31.4"],
        ["Tue", "84.5", f"{MINUS}4.1"],
        ["Wed", "41", "no value"],
        ["Thu", "18.4", f"{MINUS}12.3"],
    ]
    drawing = figure.locator("svg")
    await drawing.focus()
    await drawing.press("ArrowLeft")
    await expect(figure.locator(".tip strong")).to_have_text("Thu")
    await expect(figure.locator(".tip b")).to_have_text(["18.4", f"{MINUS}12.3"])


async def test_bars_stand_on_zero(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, [chart("bar", "Bad", ["a", "b", "c"], ("x", [10, -5, None]))])
    boxes = await content.locator("rect.column").evaluate_all(
        "bars => bars.map(bar => [Number(bar.getAttribute('y')), Number(bar.getAttribute('height'))])"
    )
    zero = float(await content.locator(".zero").get_attribute("y1") or "nan")
    assert len(boxes) == 2
    above, below = boxes
    assert above[0] + above[1] == pytest.approx(zero)
    assert below[0] == pytest.approx(zero)
    assert above[1] == pytest.approx(2 * below[1])


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 100, ["0", "20", "40", "60", "80", "100"]),
        (-12.3, 99, [f"{MINUS}25", "0", "25", "50", "75", "100"]),
        (99.9, 99.99, ["99.9", "99.92", "99.94", "99.96", "99.98", "100"]),
        (0, 0.0007, ["0", "0.0002", "0.0004", "0.0006", "0.0008"]),
    ],
)
async def test_an_axis_has_round_steps(
    page: Page, workspace: Workspace, low: float, high: float, labels: list[str]
) -> None:
    await page.goto(workspace.url)
    script = "async ([low, high]) => (await import('/page/chart.js')).ticks(low, high).map(tick => tick.label)"
    assert await page.evaluate(script, [low, high]) == labels


async def test_a_button_sends_its_action(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, REVIEW)
    await content.get_by_role("button", name="Acknowledge").click()
    body = await workspace.posted("action")
    assert float(body["action"].pop("action_ts")) > 0
    assert body == {
        "user": MAYA,
        "channel": GENERAL,
        "message_ts": next(iter(workspace.messages[GENERAL])),
        "action": {
            "type": "button",
            "block_id": "review",
            "action_id": "acknowledge",
            "text": plain("Acknowledge"),
            "value": "review-47",
        },
    }


async def test_a_button_with_a_question_asks_first(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, REVIEW)
    freeze = content.get_by_role("button", name="Freeze search")
    await freeze.click()
    question = page.get_by_role("dialog", name="Freeze search?")
    await expect(question.locator("strong")).to_have_text("reliability work")
    await question.get_by_role("button", name="Not now").click()
    await expect(question).to_have_count(0)
    assert workspace.sent == []
    await freeze.click()
    await question.get_by_role("button", name="Freeze", exact=True).click()
    assert (await workspace.posted("action"))["action"]["value"] == "search"


async def test_a_click_that_the_app_does_not_take_is_told(page: Page, workspace: Workspace) -> None:
    workspace.refuse["action"] = "the app did not answer this click"
    content = await posted(page, workspace, REVIEW)
    await content.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("#toasts")).to_contain_text("the app did not answer this click")


async def test_a_menu_sends_what_was_chosen(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, every_block())
    await content.get_by_role("combobox", name="Pick one").select_option("second")
    chosen = (await workspace.posted("action"))["action"]["selected_option"]
    assert chosen == {"text": plain("Second choice"), "value": "second"}


async def test_feedback_is_sent_and_marked(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, every_block())
    good = content.get_by_role("button", name="Good answer")
    await good.click()
    assert (await workspace.posted("action"))["action"]["value"] == "good"
    await expect(good).to_have_attribute("aria-pressed", "true")


MODAL: dict[str, Any] = {
    "id": "V7",
    "hash": "1.a",
    "type": "modal",
    "title": plain("Plan an initiative"),
    "submit": plain("Plan"),
    "close": plain("Cancel"),
    "blocks": [
        {
            "type": "input",
            "block_id": "initiative",
            "label": plain("Initiative"),
            "hint": plain("One sentence is enough"),
            "element": {"type": "plain_text_input", "action_id": "text", "multiline": True},
        },
        {
            "type": "input",
            "block_id": "by",
            "optional": True,
            "label": plain("Wanted by"),
            "element": {"type": "datepicker", "action_id": "date"},
        },
    ],
}


async def test_a_modal_shows_what_is_wrong_and_keeps_what_was_typed(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await workspace.push({"type": "view", "view": MODAL}, to=MAYA)
    modal = page.get_by_role("dialog", name="Plan an initiative")
    text = modal.get_by_role("textbox", name="Initiative")
    await expect(text).to_be_focused()
    await modal.get_by_role("button", name="Plan").click()
    await expect(modal.locator(".field-error:not(:empty)")).to_have_text(["Please complete this field."])
    assert workspace.sent == []
    workspace.errors = {"initiative": "Say a little more: at least three words."}
    await text.fill("refunds")
    await modal.get_by_role("button", name="Plan").click()
    await expect(modal.locator(".field-error:not(:empty)")).to_have_text(["Say a little more: at least three words."])
    await expect(text).to_have_attribute("aria-invalid", "true")
    await expect(text).to_have_value("refunds")
    workspace.errors = {}
    await text.fill("refunds in a service")
    await modal.get_by_role("button", name="Plan").click()
    assert await workspace.posted("view_submit", 2) == {
        "user": MAYA,
        "view_id": "V7",
        "values": {
            "initiative": {"text": {"type": "plain_text_input", "value": "refunds in a service"}},
            "by": {"date": {"type": "datepicker", "selected_date": None}},
        },
    }
    await expect(modal).to_have_count(0)


async def test_escape_closes_a_modal_and_tells_the_app(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    await workspace.push({"type": "view", "view": MODAL}, to=MAYA)
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    assert await workspace.posted("view_close") == {"user": MAYA, "view_id": "V7"}
    await expect(page.get_by_role("dialog")).to_have_count(0)
