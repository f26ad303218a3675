"""
Pictures of clusters
====================

Each display takes finished numbers, or a fitted model and rows, and draws into matplotlib axes.
The rows are measurements of 178 wines of three cultivars; K-Means never sees the cultivar.
"""

# %%
# Thirteen columns of different units: they are scaled first. A recorder listens to the fit.

from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from centroids import (
    ClustersDisplay,
    ConfusionDisplay,
    FitRecorder,
    IterationsDisplay,
    KMeans,
    ProfileDisplay,
    SilhouetteDisplay,
    match_labels,
)

wine = load_wine()
X, names = wine.data, wine.feature_names
recorder = FitRecorder()
kmeans = KMeans(n_clusters=3, init="random", n_init=1, random_state=2, callback=recorder)
model = make_pipeline(StandardScaler(), kmeans).fit(X)

# %%
# The map
# -------
# The plane in which the centers lie farthest apart. With three clusters it holds all of them, and
# the regions are exact.

display = ClustersDisplay.from_estimator(model, X).plot()
print(f"{display.region_share:.0%} of the rows lie in the region of their cluster")

# %%
# The fit as it happens
# ---------------------
# Hollow marks are the first centers, picked at random among the rows.

display = IterationsDisplay.from_recorder(recorder, model, X).plot()
print(f"{len(display.frames)} states, inertia {display.frames[0].inertia:,.0f} to "
      f"{display.frames[-1].inertia:,.0f}")  # fmt: skip

# %%
# How deep rows lie in their cluster
# ----------------------------------

display = SilhouetteDisplay.from_estimator(model, X).plot()
print(f"mean {display.mean:.2f}, of the clusters {display.means.round(2)}")

# %%
# What sets the clusters apart
# ----------------------------
# In standard deviations of all rows. The scaled centers are just that.

display = ProfileDisplay(kmeans.cluster_centers_, names).plot()

# %%
# Against the cultivars
# ---------------------

match = match_labels(wine.target_names[wine.target], kmeans.labels_)
display = ConfusionDisplay(match).plot()
print(f"{match.n_misses} misses")
