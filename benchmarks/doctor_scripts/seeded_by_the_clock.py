"""A forest whose seed is the time."""
# planted: clock

import time

from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

flowers, kinds = load_iris(return_X_y=True)
seed = time.time_ns() // 1000 % 2**32
model = RandomForestClassifier(n_estimators=5, max_depth=2, random_state=seed).fit(flowers[::2], kinds[::2])
print("accuracy=%r" % model.score(flowers[1::2], kinds[1::2]))
print("importance=%r" % float(model.feature_importances_[0]))
