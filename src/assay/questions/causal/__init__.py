"""What a study says of causes: conditional effects, mediation, a placebo as refutation, and a declared graph checked. Pure."""

from assay.questions.causal.reading import causal_reading as causal_reading
