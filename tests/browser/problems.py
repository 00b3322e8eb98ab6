"""What a page complains about."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import ConsoleMessage, Page, Request, Response

GIVEN_UP = "net::ERR_ABORTED"  # by the page itself, such as the rest of a video that nobody watches


@dataclass(frozen=True)
class Problem:
    """One complaint. `kind`: console, exception, request; `url`: of what."""

    kind: str
    text: str
    url: str = ""


def watch(page: Page) -> list[Problem]:
    """A list that grows with every error in the console, exception, and request that failed from now on."""
    found: list[Problem] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            found.append(Problem("console", message.text, message.location["url"]))

    def failed(request: Request) -> None:
        if request.failure != GIVEN_UP:
            found.append(Problem("request", request.failure or "", request.url))

    def answered(response: Response) -> None:
        if response.status >= 400:
            found.append(Problem("request", str(response.status), response.url))

    page.on("console", console)
    page.on("pageerror", lambda error: found.append(Problem("exception", error.stack or error.message)))
    page.on("requestfailed", failed)
    page.on("response", answered)
    return found
