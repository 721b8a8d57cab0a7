"""K-means with scikit-learn's defaults but for one start."""
# planted: numpy

from sklearn.cluster import KMeans
from sklearn.datasets import load_iris

flowers, _ = load_iris(return_X_y=True)
model = KMeans(n_clusters=12, n_init=1).fit(flowers)
print("inertia=%r" % float(model.inertia_))
print("rounds=%r" % model.n_iter_)
