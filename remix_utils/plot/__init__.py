"""Pictures with titles, named axes and units, in colours that a colour-blind reader can tell apart."""

from remix_utils.plot.attention import attention
from remix_utils.plot.charts import bars, curves, histogram, lines, scatter
from remix_utils.plot.heatmaps import heads, heatmap, images
from remix_utils.plot.hypothesis import hypothesis, per_example
from remix_utils.plot.style import COLOURS
from remix_utils.plot.text import tokens
