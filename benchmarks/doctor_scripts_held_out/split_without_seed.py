"""A forest with a seed, on a split that has none."""
# planted: numpy

from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

wines, kinds = load_wine(return_X_y=True)
train, test, train_kinds, test_kinds = train_test_split(wines, kinds, test_size=0.4)
model = RandomForestClassifier(n_estimators=5, max_depth=2, random_state=1).fit(train, train_kinds)
print("accuracy: %r" % model.score(test, test_kinds))
print("importance: %r" % float(model.feature_importances_[0]))
