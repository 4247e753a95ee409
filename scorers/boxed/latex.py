"""The typography around an answer: what LaTeX, Markdown and Unicode add without changing what is said."""

import re
import unicodedata

# Compatibility folding (NFKC) would turn 10³ into 103, x₂ into x2 and 3½ into 31/2, so these go first.
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_SUPERSCRIPT_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUBSCRIPT_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞↉]")

_SLICE = 200
_SAME_GLYPH = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe58", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2044\u2215", "/"),
        "\u066b": ".",  # Arabic decimal, thousands and percent signs
        "\u066c": ",",
        "\u066a": "%",
        "\u20e3": None,  # the keycap around an emoji digit
        "\ufe0f": None,  # "show as emoji"
    }
)
_FONTS = (
    r"text(?:bf|it|rm|sf|tt|sc|up|md|normal)?|math(?:bf|it|rm|sf|tt|cal|bb|normal|frak|scr)"
    r"|boldsymbol|bm|pmb|emph|underline|mbox|hbox|boxed|fbox|operatorname\*?|ensuremath|num"
)
_WRAPPED = re.compile(rf"\\(?:{_FONTS})\s?\{{([^{{}}]*)\}}")
_COMMANDS = re.compile(
    rf"\\(?:{_FONTS}|(?:display|text)style|left|right|[bB]igg?[lrm]?|rm|bf|it|tiny|small|(?:L|l)arge|LARGE"
    r"|[hH]uge|(?:no)?limits|[lc]?dots|dots[cbmio])(?![A-Za-z])"
)
_COLOUR = re.compile(r"\\(?:text)?color\s*(?:\[[^\[\]{}]*\]\s*)?\{[^{}]*\}")
_MAX_NESTED_FONTS = 4
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z])")  # \\frac from a model that escapes as in JSON
_LINE_BREAK = re.compile(r"\\\\")
_SPACES = re.compile(r"\\(?:[,;: \n]|q?quad(?![A-Za-z])|(?:thin|med|thick|en)?space(?![A-Za-z]))|(?<!\\)~")
_MATH_DELIMITERS = re.compile(r"\\[()\[\]]|(?<!\\)\$")


def fold_unicode(text: str) -> str:
    """One spelling for what Unicode can spell in several ways.

    Full-width and mathematical characters become plain ones, every script's decimal digits become ASCII,
    all dashes become the hyphen, all quotation marks become straight ones, superscript digits become
    `^{…}`, `½` becomes ` 1/2`, and invisible characters go.
    """
    if text.isascii():
        return text.replace("`", "'")
    text = _SUPERSCRIPT_RUN.sub(lambda run: "^{" + run.group().translate(_SUPERSCRIPTS) + "}", text)
    text = _SUBSCRIPT_RUN.sub(lambda run: "_{" + run.group().translate(_SUBSCRIPTS) + "}", text)
    text = _VULGAR_FRACTION.sub(lambda mark: " " + unicodedata.normalize("NFKC", mark.group()), text)
    text = _compatible(text).translate(_SAME_GLYPH)
    return text.translate({ord(character): _plain_character(character) for character in set(text)})


def _compatible(text: str) -> str:
    """NFKC in slices: putting a run of combining marks in order takes time quadratic in its length."""
    if text.isascii():
        return text
    return "".join(_compatible_slice(text[at : at + _SLICE]) for at in range(0, len(text), _SLICE))


def _compatible_slice(text: str) -> str:
    """NFKC, unless the text is made to blow up under it: one ligature can become 18 characters."""
    folded = unicodedata.normalize("NFKC", text)
    return folded if len(folded) <= 4 * len(text) + 20 else text


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category == "Cf" else character


def strip_markup(text: str) -> str:
    r"""The text without LaTeX's font, colour, sizing and math-mode commands and with plain spaces.

    `\text{e}` becomes `e`. Other braces stay: they group in numbers, and `plain_words` drops them in words.
    """
    text = _LINE_BREAK.sub(" ", _DOUBLED.sub(r"\\", text))
    text = _COLOUR.sub("", text.replace("\\!", ""))
    for _ in range(_MAX_NESTED_FONTS):
        text, unwrapped = _WRAPPED.subn(r"\1", text)
        if not unwrapped:
            break
    text = _COMMANDS.sub("", text)
    text = _SPACES.sub(" ", text)
    return _MATH_DELIMITERS.sub("", text)


def plain_words(text: str) -> str:
    """The words of an answer: folded, without markup and braces, case-folded, one space between words."""
    text = strip_markup(fold_unicode(text))
    text = re.sub(r"(?<!\\)[{}]", "", text)
    text = re.sub(r"\\([_&%#${}])", r"\1", text)
    # Case folding can undo compatibility folding (and the other way round): fold once more.
    return " ".join(_compatible(text.casefold()).split())
