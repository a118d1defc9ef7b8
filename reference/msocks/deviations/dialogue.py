# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations while a client is greeted: methods, versions, pieces, passwords."""

from reference.msocks import messages
from reference.msocks.messages import MalformedError
from reference.msocks.negotiation import Negotiation
from reference.system.alterations import deviation


@deviation("msocks-method-not-offered", "4", "The method is one that the client offered.", "it is always that without")
class MethodNotOffered(Negotiation):
    def choose_method(self, offered: bytes) -> int:
        chosen = super().choose_method(offered)
        return messages.NO_AUTHENTICATION if chosen == messages.NONE_ACCEPTABLE else chosen


@deviation("msocks-first-method-alone", "4", "The method is one of those offered.", "only the first offer is looked at")
class FirstMethodAlone(Negotiation):
    def choose_method(self, offered: bytes) -> int:
        return super().choose_method(offered[:1])


@deviation("msocks-sixteen-methods", "4", "A greeting offers up to 255 methods.", "none is acceptable of more than 16")
class SixteenMethods(Negotiation):
    def choose_method(self, offered: bytes) -> int:
        return super().choose_method(offered) if len(offered) <= 16 else messages.NONE_ACCEPTABLE


@deviation("msocks-served-without-a-method", "1928.3", "Without a method there is no service.", "a request is served")
class ServedWithoutAMethod(Negotiation):
    def _greeting(self) -> bool:
        found = messages.greeting(self.buffer)
        if found is None or self.choose_method(found[1]) != messages.NONE_ACCEPTABLE:
            return super()._greeting()
        self._take(found[0])
        self.say(bytes([messages.VERSION, messages.NONE_ACCEPTABLE]))
        self.step = self._request
        return True


@deviation("msocks-greeting-in-one-piece", "1928.3", "Messages come in any segments.", "half a greeting is none")
class GreetingInOnePiece(Negotiation):
    def _greeting(self) -> bool:
        if messages.greeting(self.buffer) is None:
            raise MalformedError
        return super()._greeting()


@deviation("msocks-request-in-one-piece", "1928.3", "Messages come in any segments.", "half a request is none")
class RequestInOnePiece(Negotiation):
    def _request(self) -> bool:
        if self.buffer and messages.request(self.buffer, self.settings.reconnect_command) is None:
            raise MalformedError(messages.GENERAL_FAILURE)
        return super()._request()


@deviation("msocks-after-the-greeting-lost", "1928.3", "A request may come right after the greeting.", "it is not seen")
class AfterTheGreetingLost(Negotiation):
    def _greeting(self) -> bool:
        done = super()._greeting()
        if done:
            self.buffer = b""
        return done


def _as_version_5(data: bytes) -> bytes:
    return bytes([messages.VERSION]) + data[1:] if data else data


@deviation("msocks-greeting-of-any-version", "1928.3", "Version 5 is served.", "a greeting of any version is")
class GreetingOfAnyVersion(Negotiation):
    def _greeting(self) -> bool:
        self.buffer = _as_version_5(self.buffer)
        return super()._greeting()


@deviation("msocks-request-of-any-version", "1928.4", "Version 5 is served.", "a request of any version is")
class RequestOfAnyVersion(Negotiation):
    def _request(self) -> bool:
        self.buffer = _as_version_5(self.buffer)
        return super()._request()


@deviation("msocks-any-password", "1929.2", "The password has to be right.", "the name is enough")
class AnyPassword(Negotiation):
    def is_user(self, name: bytes, password: bytes) -> bool:
        return name in self.settings.users


@deviation("msocks-password-of-any-user", "1929.2", "The password has to be the user's.", "that of another will do")
class PasswordOfAnyUser(Negotiation):
    def is_user(self, name: bytes, password: bytes) -> bool:
        return name in self.settings.users and password in self.settings.users.values()


@deviation("msocks-password-is-a-beginning", "1929.2", "The password has to be right.", "what it begins with will do")
class PasswordIsABeginning(Negotiation):
    def is_user(self, name: bytes, password: bytes) -> bool:
        return self.settings.users.get(name, b"\0").startswith(password)


@deviation("msocks-last-user-alone", "1929.2", "Every user gets in with the password.", "only the first one does")
class LastUserAlone(Negotiation):
    def is_user(self, name: bytes, password: bytes) -> bool:
        return super().is_user(name, password) and name == next(iter(self.settings.users))


@deviation("msocks-open-after-a-wrong-password", "1929.2", "A failure ends the connection.", "it stays open")
class OpenAfterAWrongPassword(Negotiation):
    def _login(self) -> bool:
        found = messages.login(self.buffer)
        if found is None or self.is_user(*found[1:]):
            return super()._login()
        self.say(bytes([messages.LOGIN_VERSION, 1]))
        self.step = None
        return True


@deviation(
    "msocks-login-skipped", "1929.2", "Without a password there is no service.", "a request in its place is served"
)
class LoginSkipped(Negotiation):
    def _login(self) -> bool:
        if self.buffer[:1] == bytes([messages.VERSION]):
            self.step = self._request
            return True
        return super()._login()
