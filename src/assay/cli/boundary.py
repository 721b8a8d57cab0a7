"""The border between Assay and the terminal: every error becomes a message and an exit code, and none a traceback."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

import click

from assay.cli.streams import flush_answer, write_answer, write_nowhere
from assay.errors import AssayError, BrokenError, CommandNotFound, UsageError

YES, NO, WRONG_USE, BROKEN = 0, 1, 2, 3
NOT_STARTED, NOT_FOUND = 125, 127
"""`assay run` returns the command's own code, or one of these, as `env` and `timeout` do."""
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def guarded(command: click.Command, arguments: Sequence[str]) -> int:
    """Carry out a command line; the exit code, whatever happens. Errors are told on standard error, or as JSON where that was asked for."""
    asked = _asked_command(arguments)
    try:
        code = command.main(list(arguments), prog_name="assay", standalone_mode=False)
        flush_answer()
    except BrokenPipeError:  # the reader left (`assay ls | head`), which is no error
        write_nowhere()
        return _BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return WRONG_USE
    except Exception as error:  # noqa: BLE001 - the border of the command line: an error of Assay's own is told, not thrown at the user
        return _tell(error, asked, arguments)
    return code if isinstance(code, int) else YES


def _asked_command(arguments: Sequence[str]) -> str:
    return next((argument for argument in arguments if not argument.startswith("-")), "")


def _tell(error: Exception, command: str, arguments: Sequence[str]) -> int:
    problem = _as_assay_error(error)
    try:
        if command != "run" and "--json" in arguments:
            # Late: only this rare path needs the documents, and they load half of Assay.
            from assay.project.documents import error as error_document
            from assay.report.document import to_json

            write_answer(to_json(error_document(problem)))
            flush_answer()
        else:
            sys.stderr.write(f"assay: {_printable(str(problem))}\n")
    except (OSError, AssayError):  # nobody can be told: the code is all that is left
        write_nowhere()
    if command == "run":
        return NOT_FOUND if isinstance(problem, CommandNotFound) else NOT_STARTED
    return problem.exit_code


def _printable(text: str) -> str:
    """`text` as this terminal's encoding can show it, without characters that would steer it."""
    shown = "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text)
    encoding = sys.stderr.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def _as_assay_error(error: Exception) -> AssayError:
    if isinstance(error, AssayError):
        return error
    if isinstance(error, click.ClickException):
        return _of_click(error)
    # Late: only a fault of Assay's own needs it, and every command would wait for what it loads.
    from assay.cli.faults import keep_traceback

    return BrokenError(
        f"Assay itself failed ({type(error).__name__}: {error})",
        next_step=f"The traceback is in {keep_traceback(error)}; please send it with a bug report.",
    )


def _of_click(error: click.ClickException) -> UsageError:
    """An error that click found in the arguments, in the fields of ours."""
    context = getattr(error, "ctx", None)
    manual = f"`{context.command_path if context else 'assay'} --help` shows how it is used."
    if isinstance(error, click.NoSuchOption):
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        near = difflib.get_close_matches(error.option_name, [name for name in known if name.startswith("-")], n=1, cutoff=0.65)
        hint = f"Did you mean {near[0]}? " if near else ""
        return UsageError("there is no such option", value=error.option_name, next_step=hint + manual)
    message = error.format_message().strip().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], next_step=manual)
