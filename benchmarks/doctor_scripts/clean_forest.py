"""A forest with its random_state, on a split with its own."""
# planted: nothing

import time

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

cells, kinds = load_breast_cancer(return_X_y=True)
train, test, train_kinds, test_kinds = train_test_split(cells, kinds, random_state=0)
began = time.time()
model = RandomForestClassifier(n_estimators=10, random_state=0).fit(train, train_kinds)
print("accuracy=%r" % model.score(test, test_kinds))
print("seconds=%r" % (time.time() - began))
