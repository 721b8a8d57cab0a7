"""A linear classifier whose shuffling nobody seeds."""
# planted: numpy

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

images, labels = load_digits(return_X_y=True)
model = SGDClassifier(max_iter=5, tol=None).fit(images[:1000], labels[:1000])
print("accuracy=%r" % model.score(images[1000:], labels[1000:]))
np.save("weights.npy", model.coef_)
