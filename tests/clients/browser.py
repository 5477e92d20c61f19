"""The pages for people in Chromium: `python browser.py http://127.0.0.1:8000 PICTURES /usr/bin/chromium`.

The server has the runs `first` and `second`, the models `one` and `two` (canned sentences) and `tiny` (the embedded
one, which jobs may train), and no jobs. Pictures of every page are left in the folder PICTURES.
"""

import json
import pathlib
import re
import sys
import time
import urllib.request

from playwright.sync_api import expect, sync_playwright

ADDRESS, PICTURES, CHROMIUM = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
# Name of the picture, and place of the page.
PAGES = {
    "runs": "/dashboard",
    "run": "/dashboard/runs/first",
    "step": "/dashboard/runs/first/steps/2",
    "group": "/dashboard/runs/first/steps/2/0",
    "group-by-advantage": "/dashboard/runs/first/steps/2/0?heat=advantage",
    "conversations": "/dashboard/runs/first/conversations/after",
    "conversation": "/dashboard/runs/first/conversations/after/0",
    "compare": "/dashboard/compare?a=first&b=second",
    "jobs": "/dashboard/jobs",
    "chat": "/dashboard/chat",
    "data": "/dashboard/data",
    "set": "/dashboard/data/customer_service",
}
FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']"

# What a page would tell nobody: violations of its policy.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""

# Text that is hard to read: less than 4.5 to 1 against what is behind it (WCAG 2.1, 1.4.3), 3 to 1 where it is large.
FAINT = """
() => {
  const read = (text) => {
    const n = text.match(/[-\\d.e]+/g).map(Number);
    return text.startsWith("color(") ? [...n.slice(0, 3).map((x) => x * 255), n[3] ?? 1] : [...n.slice(0, 3), n[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(read(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("svg, select, noscript")) continue;
    const style = getComputedStyle(element), back = behind(element);
    const pair = [light(over(read(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}`);
  }
  return faint;
}
"""


def ask(path, body=None, method=None):
    """Sends JSON without the browser."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ADDRESS + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def context_of(browser, size, scheme, troubles):
    """A window of this size that collects what goes wrong in it."""
    context = browser.new_context(
        viewport=size, color_scheme=scheme, has_touch=size is PHONE, is_mobile=size is PHONE,
        device_scale_factor=2 if size is PHONE else 1,
    )
    context.set_default_timeout(60_000)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return page


def check_page(page, name, troubles):
    """What holds for every page in every window."""
    assert page.locator("h1").count() == 1, f"{name}: one heading"
    assert page.evaluate("window.violations") == [], f"{name}: {page.evaluate('window.violations')}"
    assert troubles == [], f"{name}: {troubles}"
    faint = page.evaluate(FAINT)
    assert faint == [], f"{name}: hard to read: {faint[:5]}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name}: {wide} pixels too wide"


def check_keyboard(page, name):
    """Tab reaches everything there is to press, in order, and shows where it is."""
    page.evaluate("document.activeElement.blur()")
    wanted = page.evaluate(
        """(all) => [...document.querySelectorAll(all)].filter((e) => e.checkVisibility() && e.tabIndex >= 0)
           .map((e, i) => (e.dataset.place = i))""",
        FOCUSABLE,
    )
    for place in wanted:
        page.keyboard.press("Tab")
        at, outline = page.evaluate(
            "[document.activeElement.dataset.place, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert at == str(place), f"{name}: Tab {place} leads to {at}"
        assert outline != "none", f"{name}: focus on {place} cannot be seen"


def every_page(browser):
    for size, scheme in [(DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light")]:
        troubles = []
        page = context_of(browser, size, scheme, troubles)
        width = "phone" if size is PHONE else "desktop"
        for name, place in PAGES.items():
            assert page.goto(ADDRESS + place).status == 200, place
            check_page(page, f"{name} ({width}, {scheme})", troubles)
            if (width, scheme) in [("desktop", "light"), ("phone", "dark")]:
                page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
            if (width, scheme) == ("desktop", "light"):
                check_keyboard(page, name)
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
        page.context.close()


def skip_link(browser):
    page = context_of(browser, DESKTOP, "light", [])
    page.goto(ADDRESS + "/dashboard")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), "the skip link leads nowhere"
    page.context.close()


def tokens(browser):
    """The numbers of tokens, by keyboard and by a tap."""
    page = context_of(browser, DESKTOP, "light", [])
    page.goto(ADDRESS + PAGES["group"])
    reply, note = page.locator("p.tokens").first, page.locator("#token-note")
    reply.focus()
    page.keyboard.press("ArrowRight")
    expect(note).to_contain_text("log-prob")
    expect(note).to_contain_text("advantage")
    first = note.inner_text()
    page.keyboard.press("End")
    assert note.inner_text() != first
    page.get_by_role("link", name="advantage", exact=True).press("Enter")
    expect(page.locator(".token[class*=up-], .token[class*=down-]").first).to_be_visible()
    page.context.close()
    page = context_of(browser, PHONE, "light", [])
    page.goto(ADDRESS + PAGES["conversation"])
    page.locator("p.tokens .token").first.tap()
    expect(page.locator("#token-note")).to_contain_text("log-prob")
    # Samples are moved sideways inside their own place.
    page.goto(ADDRESS + PAGES["group"])
    page.locator(".samples").evaluate("place => place.scrollTo(place.scrollWidth, 0)")
    expect(page.get_by_role("heading", name="Sample 3")).to_be_in_viewport()
    page.context.close()


def compare(browser):
    """Two runs are chosen and compared by keyboard, on a telephone."""
    page = context_of(browser, PHONE, "dark", [])
    page.goto(ADDRESS + "/dashboard/compare")
    page.get_by_label("First run").focus()
    page.keyboard.type("first")
    page.keyboard.press("Tab")
    page.keyboard.type("second")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?a=first&b=second")
    for chart in page.locator("figure svg").all():
        box = chart.bounding_box()
        assert box["width"] >= 300 and box["x"] + box["width"] <= 390, box
    page.context.close()


def chat(browser):
    """A chat with two models, the better of whose answers is marked by keyboard; then with one, which streams."""
    troubles = []
    page = context_of(browser, DESKTOP, "light", troubles)
    page.goto(ADDRESS + "/dashboard/chat")
    page.locator("[name=left]").select_option("one")
    page.get_by_label("Beside it").select_option("two")
    page.get_by_label("Message").focus()
    page.keyboard.type("Who are you?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="This one is better")).to_have_count(2)
    expect(page.get_by_text("I am one.")).to_be_visible()
    page.screenshot(path=PICTURES / "chat-two-desktop-light.png", full_page=True)
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.parentElement.innerText").startswith("two"), "the answer of two is last"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The pair was written down.")
    check_page(page, "chat with two models", troubles)
    page.set_viewport_size(PHONE)
    check_page(page, "chat with two models on a telephone", troubles)
    page.screenshot(path=PICTURES / "chat-two-phone-light.png", full_page=True)
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_text("1 pairs were marked in the chat.")).to_be_visible()
    check_page(page, "data with a pair on a telephone", troubles)
    page.goto(ADDRESS + "/dashboard/chat?model=tiny")
    page.get_by_label("Message").fill("Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.assistant")).to_contain_text("tiny")
    wait_until(lambda: page.locator(".turn.assistant p").last.inner_text() != "")
    assert troubles == [], troubles
    page.context.close()


def jobs(browser):
    """A training is watched while it learns, ended, gone on with and ended again, without a mouse."""
    job = ask("/training", {
        "prompts": ["Say yes.", "Say no."], "strategy": "grpo", "num_iterations": 5000,
        "training_config_overrides": {
            "num_generations": 4, "max_completion_length": 6, "eval_before": False, "run_post_eval": False,
        },
    })
    ident = job["id"]
    troubles = []
    page = context_of(browser, PHONE, "light", troubles)
    page.goto(ADDRESS + "/dashboard/jobs")
    expect(page.get_by_role("link", name=ident)).to_be_visible()
    link = page.get_by_role("link", name=ident)
    link.focus()
    # The page writes itself anew meanwhile, and the focus stays.
    expect(page.get_by_text(re.compile(r"step ([2-9]|\d\d+) of"))).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == ident
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/" + ident)
    step = "Number(document.querySelector('.tiles dd').textContent)"
    before = page.evaluate(step)
    page.evaluate("window.same = true")
    wait_until(lambda: page.evaluate(step) > before)
    assert page.evaluate("window.same"), "the page was loaded again"
    check_page(page, "a run under way on a telephone", troubles)
    page.screenshot(path=PICTURES / "run-under-way-phone-light.png", full_page=True)
    page.goto(ADDRESS + "/dashboard/jobs")
    page.screenshot(path=PICTURES / "job-under-way-phone-light.png", full_page=True)
    press(page, "Cancel")
    expect(page.locator(".tag", has_text="cancelled")).to_be_visible()
    check_page(page, "a job on a telephone", troubles)
    press(page, "Resume")
    expect(page.locator(".tag", has_text="running")).to_be_visible()
    press(page, "Cancel")
    expect(page.locator(".tag", has_text="cancelled")).to_be_visible()
    page.set_viewport_size(DESKTOP)
    check_page(page, "a job", troubles)
    page.screenshot(path=PICTURES / "job-desktop-light.png", full_page=True)
    press(page, "Chat with it")
    page.wait_for_url("**/dashboard/chat?model=" + ident)
    assert page.locator("[name=left]").input_value() == ident
    assert ask("/training/" + ident)["status"] == "cancelled"
    page.context.close()


def wait_until(is_so):
    """Waits for something that only changes while the page lives on; its policy forbids to wait inside of it."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)


def press(page, name):
    """Presses a button by keyboard alone."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not lead to {name}")


PICTURES.mkdir(parents=True, exist_ok=True)
# Machines that build are slow at times; nothing here is about speed.
expect.set_options(timeout=60_000)
with sync_playwright() as playwright:
    # Whoever builds in a container is root there, and Chromium has no sandbox for root.
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    for check in [every_page, skip_link, tokens, compare, chat, jobs]:
        start = time.monotonic()
        check(chromium)
        print("passed %s in %.1f s" % (check.__name__, time.monotonic() - start), flush=True)
    chromium.close()
print("all passed")
