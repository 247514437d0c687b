"""Takes the README's pictures from a running demo: `make demo`, then `.venv/bin/python docs/screenshots.py [URL]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PICTURES = (
    # file, address, language, theme, width, height, who
    ("board-en-light", "/board/", "en", "light", 1440, 900, "rep"),
    ("board-ru-dark", "/board/", "ru", "dark", 1440, 900, "rep"),
    ("board-ru-phone", "/board/", "ru", "light", 390, 844, "rep"),
    ("my-day-en-light", "/", "en", "light", 1440, 900, "rep"),
    ("leads-en-light", "/leads/", "en", "light", 1440, 900, "rep"),
    ("metrics-en-light", "/metrics/", "en", "light", 1440, 1200, "manager"),
    ("metrics-ru-dark", "/metrics/", "ru", "dark", 1440, 1200, "manager"),
)


def main(base: str) -> None:
    """Take every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, address, language, theme, width, height, who in PICTURES:
            page = _logged_in(browser, base, who=who, language=language, theme=theme, size=(width, height))
            page.goto(base + address)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(500)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.context.close()
        browser.close()


def _logged_in(browser: Browser, base: str, *, who: str, language: str, theme: str, size: tuple[int, int]) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", f"{who}@demo.test")
    page.fill("input[name=password]", "demo")
    page.click("form .btn-primary")
    page.wait_for_load_state()
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    page.request.post(
        f"{base}/me/language/", form={"language": language}, headers={"X-CSRFToken": token, "Referer": base}
    )
    return page


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8000")
