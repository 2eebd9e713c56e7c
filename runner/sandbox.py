"""The template engine, with everything taken out of reach that a prompt has no need of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Template
from jinja2.exceptions import FilterArgumentError, SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from .template import LOOP_MAX, NEWLINE, TEXT_MAX, Refused, spoken

_FILTERS = frozenset(
    "abs capitalize count d default dictsort first float int items join last length list lower map max min reject "
    "rejectattr replace reverse round select selectattr sort string sum title trim truncate unique upper "
    "wordcount".split()
)
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign, nodes.Expr, nodes.Pair,
    nodes.Keyword, nodes.Operand, nodes.Scope, nodes.OverlayScope,
)  # fmt: skip


_SCOPE = "names in reach"


class _TooMuch(TemplateRuntimeError):
    pass


class _Lacks(UndefinedError):
    """A name was looked for in a value that does not have it."""

    def __init__(self, name: str, holder: Any) -> None:
        self.name, self.holder = name, holder
        super().__init__(f"there is no {name}")


class _Missing(StrictUndefined):
    """A name that is not there, which remembers where it was looked for."""

    def __init__(self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None) -> None:
        told: Any = exc or (UndefinedError if name is None else lambda _: _Lacks(str(name), obj))
        super().__init__(hint, obj, name, told)


class _Names(Context):
    """The names in reach, looked up when the template asks for them and not before."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        scope = self.parent[_SCOPE]
        if key in scope:
            return scope[key]
        return self.parent.get(key, missing)


class _Code(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.joined((")
        for item in node.nodes:
            self.visit(item, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Code
    context_class = _Names
    intercepted_binops = frozenset(["*", "**", "+", "%", "//", "/", "-"])

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        # Fields only, never methods: a value called "items" is a value.
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=str(argument))
        if isinstance(obj, list | tuple | str) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self.undefined(obj=obj, name=str(argument))
        if type(obj).__name__ in {"LoopContext", "Cycler"}:
            return super().getattr(obj, argument)
        if isinstance(obj, _Missing):
            str(obj)  # raises, with the name that is missing first
        return self.undefined(obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is self.globals.get("range")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator in "**%" and any(isinstance(v, str | list | tuple) for v in (left, right)):
            many = right if isinstance(right, int) else left if isinstance(left, int) else TEXT_MAX + 1
            long = left if isinstance(right, int) else right
            if operator != "*" or many * max(len(long), 1) > TEXT_MAX:
                raise _TooMuch(f"the text is longer than {TEXT_MAX:,} characters (text_max)")
        if operator == "**" and isinstance(right, int | float) and abs(right) > 64:
            raise _TooMuch("the power is larger than 64")
        if (
            operator == "*"
            and isinstance(left, int)
            and isinstance(right, int)
            and left.bit_length() + right.bit_length() > 4096
        ):
            raise _TooMuch("the number is too large")
        made = super().call_binop(context, operator, left, right)
        return _bounded(made)

    def joined(self, parts: tuple[Any, ...]) -> str:
        return str(_bounded("".join(_spoken(part) for part in parts)))


def _bounded(made: Any) -> Any:
    if isinstance(made, str | list | tuple) and len(made) > TEXT_MAX:
        raise _TooMuch(f"the text is longer than {TEXT_MAX:,} characters (text_max)")
    return made


def _spoken(value: Any) -> Any:
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name; what an if without an else leaves out is nothing
    try:
        return spoken(value)
    except ValueError:
        raise _TooMuch(f"{getattr(value, 'name', 'this')} is a mapping, not a text") from None


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > LOOP_MAX:
        raise _TooMuch(f"a range of more than {LOOP_MAX:,} (loop_max)")
    return made


def _replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    text, old, new = _spoken(text), _spoken(old), _spoken(new)
    if len(text) + text.count(old) * len(new) > TEXT_MAX:
        raise _TooMuch(f"the text is longer than {TEXT_MAX:,} characters (text_max)")
    return str(text.replace(old, new, -1 if count is None else count))


def _join(items: Any, between: str = ", ") -> str:
    texts = [_spoken(item) for item in items]
    if sum(map(len, texts)) + len(between) * len(texts) > TEXT_MAX:
        raise _TooMuch(f"the text is longer than {TEXT_MAX:,} characters (text_max)")
    return between.join(texts)


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    made = _Environment(undefined=_Missing, finalize=_spoken, keep_trailing_newline=True, autoescape=False)
    made.globals = {"range": _range}
    made.filters = {name: made.filters[name] for name in _FILTERS if name in made.filters}
    made.filters |= {"replace": _replace, "join": _join}
    return made


class Compiled:
    """A template, ready to be rendered."""

    def __init__(self, raw: str) -> None:
        environment = _environment()
        try:
            _check(environment.parse(raw))
            self.template: Template = environment.from_string(raw)
        except TemplateSyntaxError as error:
            raise _syntax(error) from None
        except RecursionError:
            raise Refused("the template is nested too deeply", 1) from None

    def render(self, scope: Mapping[str, Any]) -> str:
        """The text. Raises Refused."""
        parts: list[str] = []
        size = 0
        try:
            for part in self.template.generate({_SCOPE: scope}):
                parts.append(part)
                size += len(part)
                if size > TEXT_MAX:
                    raise _TooMuch(f"the text is longer than {TEXT_MAX:,} characters (text_max)")
        except UndefinedError as error:
            raise _undefined(error, _line(error)) from None
        except SecurityError as error:
            raise Refused(
                "a template may not call this", _line(error), remedy="a filter, as in {{ name|upper }}"
            ) from error
        except (TemplateRuntimeError, FilterArgumentError) as error:
            raise Refused(str(error), _line(error)) from None
        except (TypeError, ValueError, ZeroDivisionError, OverflowError, AttributeError, RecursionError) as error:
            raise Refused(f"this cannot be worked out: {error}", _line(error)) from None
        return "".join(parts)


@lru_cache(maxsize=4096)
def compiled(raw: str) -> Compiled:
    """The template of a text; the same text is compiled once. Raises Refused."""
    return Compiled(raw)


def refusals(raw: str, scope: Mapping[str, Any], first: Refused) -> list[Refused]:
    """Every reason why a template cannot be rendered, each with the place of its expression; ``first`` is one."""
    flat = NEWLINE.sub("\n", raw)
    tags = _tags(flat)
    if not any(flat.startswith("{%", start) for start, _ in tags):
        found = []
        for start, end in tags:
            try:
                Compiled(flat[start:end]).render(scope)
            except Refused as refused:
                refused.span = start, end
                found.append(refused)
        return found or [first]
    # Line numbers tell expressions apart once each of them begins on a line of its own.
    stretched, at = "", 0
    for start, _ in tags:
        begin = start + (3 if flat[start + 2 : start + 3] in {"-", "+"} else 2)
        stretched, at = f"{stretched}{flat[at:begin]}\n", begin
    try:
        Compiled(stretched + flat[at:]).render(scope)
    except Refused as refused:
        lines = [flat.count("\n", 0, start) + n for n, (start, _) in enumerate(tags, 2)]
        meant = [tag for tag, line in zip(tags, lines, strict=True) if line <= refused.line] or tags[:1]
        if refused.words and refused.name is None:  # a block that is never closed
            meant = [tag for tag in tags if re.match(rf"\{{%[-+]?\s*{refused.words}\b", flat[slice(*tag)])] or meant
        first.span = meant[-1]
    return [first]


def _tags(flat: str) -> list[tuple[int, int]]:
    """Where the expressions and statements of a template begin and end."""
    tags: list[tuple[int, int]] = []
    at = 0
    try:
        for _, kind, value in _environment().lex(flat):
            at = flat.find(value, at)
            if kind in {"variable_begin", "block_begin"}:
                tags.append((at, len(flat)))
            at += len(value)
            if kind in {"variable_end", "block_end"}:
                tags[-1] = tags[-1][0], at - len(value) + len(value.rstrip())
    except TemplateSyntaxError:
        return tags
    return tags


def _check(tree: nodes.Template) -> None:
    """Nothing that could run long or reach out: loops two deep, no macros, includes or calls."""

    def visit(node: nodes.Node, loops: int) -> None:
        if not isinstance(node, (*_NODES, nodes.Expr)):
            word = type(node).__name__.lower()
            raise Refused(f"{word} is not available in a storyboard's templates", node.lineno or 1)
        if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
            raise Refused("a template may not call this", node.lineno, remedy="a filter, as in {{ name|upper }}")
        if isinstance(node, nodes.For):
            loops += 1
            if loops > 2 or node.recursive:
                raise Refused("loops may be two deep", node.lineno)
        for child in node.iter_child_nodes():
            visit(child, loops)

    visit(tree, 0)


def _syntax(error: TemplateSyntaxError) -> Refused:
    said = error.message or "this is no template"
    if named := re.search(r"No (filter|test) named '(\w+)'", said):
        refused = Refused(f'there is no {named[1]} "{named[2]}"', error.lineno, words=named[2])
        refused.name, refused.known = named[2], sorted(_environment().filters)
        return refused
    if unknown := re.search(r"Encountered unknown tag '(\w+)'", said):
        refused = Refused(f'there is no tag "{unknown[1]}"', error.lineno, words=unknown[1])
        refused.name, refused.known = unknown[1], ["if", "for", "set"]
        return refused
    if opened := re.search(r"The innermost block that needs to be closed is '(\w+)'", said):
        word = opened[1]
        return Refused(f'"{word}" is never ended', error.lineno, words=word, remedy=f"{{% end{word} %}}")
    for sign, fact, remedy in _SAID:
        if sign in said:
            return Refused(fact, error.lineno, remedy=remedy)
    got = re.search(r"(?:got|unexpected) '([^']+)'", said)
    if got is None:
        return Refused(f"not a template: {said[0].lower()}{said[1:]}".rstrip("."), error.lineno)
    sign = {"end of print statement": "}}", "end of statement block": "%}"}.get(got[1], f'"{got[1]}"')
    return Refused(f"{sign} stands in the wrong place", error.lineno)


_SAID = (
    ("nexpected end of template", "what opens here is never closed", "}} or %}"),
    ("got 'end of print statement'", "an expression is missing here", "{{ name }}"),
    ("issing end of comment tag", "{# opens a comment that is never closed", "#}"),
    ("issing end of raw directive", "raw opens here and is never closed", "{% endraw %}"),
)


def _undefined(error: UndefinedError, line: int) -> Refused:
    if not isinstance(error, _Lacks):
        return Refused(f"this cannot be worked out: {str(error).rstrip('.')}", line)
    whole = error.holder is missing
    refused = Refused(f'"{error.name}" is not defined' if whole else f'there is no "{error.name}" here', line)
    refused.words = refused.name = error.name
    if error.holder is None:
        refused.fact = f'there is nothing to take "{error.name}" of'
        refused.remedy = "ask first: {% if … %}{% endif %}"
    elif not whole:
        refused.holder = error.holder
        refused.known = [str(name) for name in error.holder] if isinstance(error.holder, Mapping) else ["-"]
    return refused


def _line(error: BaseException) -> int:
    """The template's line that was being rendered: jinja2 maps its own tracebacks back to it."""
    line = 1
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
