"""Which printed numbers are settings and not results: what a script says of its configuration and its data before it begins."""

# Long lists of words are split from text: one word a line would hide the code between them.
# ruff: noqa: SIM905

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.tracking.sources.rows import number, step_of, words_of

_SETTINGS = frozenset(
    (
        "lr learning_rate min_lr max_lr weight_decay momentum dropout batch_size eval_batch_size train_batch_size vocab_size block_size "
        "hidden_size hidden_dim embedding_dim embed_dim d_model d_ff n_layer n_layers num_layers n_head n_heads num_heads n_embd n_hidden "
        "epochs n_epochs num_epochs max_epochs max_steps max_iters num_steps n_steps warmup warmup_steps warmup_iters patience num_workers "
        "workers n_estimators max_depth top_k top_p temperature beta1 beta2 betas eps grad_clip max_grad_norm accumulation_steps "
        "gradient_accumulation_steps log_interval eval_interval log_every save_every eval_iters sequence_length seq_len max_seq_len "
        "context_length image_size kernel_size stride padding in_channels out_channels num_classes n_classes test_size val_size"
    ).split()
)
_RESULTS = frozenset(
    (
        "loss losses accuracy acc error errors err f1 fscore auc auroc ap map ndcg mrr score scores precision recall sensitivity specificity "
        "mse rmse mae mape nll bce perplexity ppl bpc bpb bleu rouge meteor wer cer iou miou dice psnr ssim fid elbo kl likelihood logloss "
        "reward rewards return returns regret r2 correlation pearson spearman kappa mcc brier top1 top5 hits deviation"
    ).split()
)
_HEAD = re.compile(rb"[ \t]*[A-Za-z_][\w-]{0,80}:[ \t]*(?:\r?\n|\Z)")
_ITEM = re.compile(rb"[ \t]+([A-Za-z_][\w.-]{0,80}):[ \t]+(\S[^\n]{0,200}?)[ \t\r]*(?:\n|\Z)")
_LONGEST_OUTLINE = 500
_TOKEN = re.compile(r"[a-z][a-z0-9]*")
_MOST_WORDS = 2


class Line(NamedTuple):
    """The metrics of one line of output; `time` in seconds since 1970, when its end was seen."""

    time: float
    step: int | None
    values: dict[str, float]


def parse_repr(text: str) -> dict[Any, Any] | None:
    """The dictionary that `print` showed, as Python writes it; None where the text is none."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def parse_outline(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    """What an outline that begins at `at` shows, a name with ":" alone and indented lines of names with values; and where it ends.

    Nothing, and `at`, where none begins there.

    >>> parse_outline(b"model:\\n    n_layer: 3\\n    bias: None\\nloss: 0.5\\n", 0)
    ({'n_layer': 3.0, 'bias': 'None'}, 37)
    """
    shown: dict[str, Any] = {}
    end = at
    if _HEAD.match(data, at) is None:
        return shown, at
    while (line := _HEAD.match(data, end) or _ITEM.match(data, end)) is not None and len(shown) < _LONGEST_OUTLINE:
        if line.re is _ITEM:
            shown[line[1].decode()] = _value(line[2].decode("utf-8", "replace"))
        end = line.end()
    return shown, end


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def is_configuration(row: Mapping[Any, Any], params: Mapping[str, Any]) -> bool:
    """Whether a printed dictionary shows settings (`print(vars(args))`): no step, no result, and a setting, a parameter, or words among it."""
    named = {str(key): value for key, value in row.items()}
    if step_of(named) is not None or any(is_result(name) for name, value in named.items() if number(value) is not None):
        return False
    return any(number(value) is None or is_setting(name) or repeats(name, value, params) for name, value in named.items())


def is_setting(name: str) -> bool:
    """Whether a name is one that is set and not measured: "batch_size", "Learning rate", "optimizer.lr"."""
    return re.sub(r"[\s-]+", "_", name.strip().lower()).rpartition(".")[2] in _SETTINGS


def is_result(name: str) -> bool:
    """Whether a word of a name says that a model is judged by it."""
    return not _RESULTS.isdisjoint((*words_of(name), *_TOKEN.findall(name.lower())))


def repeats(name: str, value: object, params: Mapping[str, Any]) -> bool:
    """Whether this is a known parameter with its value, which says nothing new."""
    given = params.get(name, params.get(name.replace("_", "-")))
    return isinstance(given, int | float) and isinstance(value, int | float) and float(given) == float(value)


def without_remarks(lines: Sequence[Line]) -> list[Line]:
    """The lines without what was said once, at no step, and is a setting or a sentence: "batch_size: 32", "max word length: 15".

    A name of more than two words counts where one of them is that of a result ("best validation accuracy").
    """
    counts = Counter(name for line in lines for name in line.values)
    kept = []
    for line in lines:
        values = {
            name: value for name, value in line.values.items() if line.step is not None or counts[name] > 1 or not _is_remark(name)
        }
        if values:
            kept.append(line._replace(values=values))
    return kept


def _is_remark(name: str) -> bool:
    return is_setting(name) or (len(name.split()) > _MOST_WORDS and not is_result(name))
