"""Draws pictures with titles, axes and units, in colours that colour-blind people tell apart."""

from remix_utils.plot.attention import attention
from remix_utils.plot.attention_heads import attention_heads, attention_patterns
from remix_utils.plot.charts import bars, curves, histogram, lines, scatter
from remix_utils.plot.heatmaps import heads, heatmap, images
from remix_utils.plot.hypothesis import hypothesis, per_example
from remix_utils.plot.still import still
from remix_utils.plot.style import COLOURS
from remix_utils.plot.text import token_log_probs, tokens
