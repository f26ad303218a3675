"""
K-Means where the answer is known
=================================

Rows are made around five centers, so we know which rows belong together. K-Means is told the right
number of clusters, then too few, then too many; each time we compare its clusters with the truth,
on the rows it was fitted on and on rows it never saw. The command ``centroids demo`` runs the same
experiment and writes the tables, models and picture to a folder.
"""

# %%
# The rows
# --------
# 50,000 rows in five columns, in five round groups of equal size. A quarter of every group is held
# out: those rows are not used to fit, only to judge. K-Means never sees the class ``y``.

from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

from centroids import (
    ClustersDisplay,
    ConfusionDisplay,
    ElbowDisplay,
    FitRecorder,
    IterationsDisplay,
    KChoiceDisplay,
    KMeans,
    choose_k,
    match_labels,
    profile,
    stability,
)

X, y = make_blobs(n_samples=50_000, centers=5, n_features=5, random_state=0)
X_training, X_heldout, y_training, y_heldout = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=50
)
print(f"training rows: {len(X_training):,}, classes {y_training[:3]} ... {y_training[-3:]}")
print(f"held-out rows: {len(X_heldout):,}, classes {y_heldout[:3]} ... {y_heldout[-3:]}")

# %%
# As many clusters as classes
# ---------------------------
# A fit starts from random rows and can end in a poor optimum, so we keep the best of ten starts.
# Clusters are numbered by size, the largest first.

recorder = FitRecorder()
kmeans = KMeans(n_clusters=5, n_init=10, random_state=10, callback=recorder).fit(X_training)
print(f"inertia {kmeans.inertia_:,.2f} after {kmeans.n_iter_} iterations")
print(f"rows in each cluster: {kmeans.counts_}")

# %%
# The fit as it happened: from the first centers (hollow) each one moves to the mean of its rows,
# until no row changes its cluster. The map shows the plane in which the centers lie farthest apart.

display = IterationsDisplay.from_recorder(recorder, kmeans, X_training).plot()

# %%
# Cluster numbers mean nothing by themselves. `match_labels` names each cluster after a class, such
# that most rows agree, and tells what is left.

match = match_labels(y_training, kmeans.labels_)
print(match.summary())

# %%
# The same as a picture:

display = ConfusionDisplay(match).plot()

# %%
# One row of 37,500 lies nearer to another group's center than to its own; no method that looks at
# distances alone could place it better. Now the held-out rows, with the names found on the training
# rows:

heldout = match.score(y_heldout, kmeans.predict(X_heldout))
print(f"{heldout.n_misses} misses in {heldout.n_samples:,} held-out rows")

# %%
# How sure is a label? `nearest` returns the second nearest center as well. A row half way between
# two centers has a margin near zero.

near = kmeans.nearest(X_training)
margin = near.second_distances - near.distances
for row in margin.argsort()[:3]:
    first, second = near.labels[row], near.second_labels[row]
    print(f"row {row}: cluster {first} by {margin[row]:.3f} before cluster {second}")

# %%
# What each cluster is
# --------------------
# `profile` says it in the units of the rows: a sentence, a rule over a few columns, typical rows.

cards = profile(kmeans, X_training).clusters
for card in cards:
    print(card.sentence)
print(f"\nRule for cluster 0: {cards[0].rule.text}, "
      f"catches {cards[0].rule.coverage:.1%} of it")  # fmt: skip

# %%
# Would the same clusters be found in other rows of the same kind? `stability` draws the rows again,
# twenty times, and looks for each cluster.

print(stability(kmeans, X_training).summary())

# %%
# Too few clusters
# ----------------
# With four clusters for five classes, two classes have to share one.

kmeans = KMeans(n_clusters=4, n_init=10, random_state=10).fit(X_training)
print(f"inertia {kmeans.inertia_:,.2f}\n")
print(match_labels(y_training, kmeans.labels_).summary())

# %%
# On the map, one center stands between two groups of rows.

display = ClustersDisplay.from_estimator(kmeans, X_training).plot()

# %%
# Too many clusters
# -----------------
# With ten clusters, K-Means uses all ten and cuts classes into pieces. The pieces are pure: named
# after its largest class, hardly any cluster holds a foreign row. But no group in the data
# corresponds to them.

kmeans = KMeans(n_clusters=10, n_init=10, random_state=10).fit(X_training)
print(f"inertia {kmeans.inertia_:,.2f}\n")
print(match_labels(y_training, kmeans.labels_).summary())

# %%
display = ClustersDisplay.from_estimator(kmeans, X_training).plot()

# %%
# How many, if nobody knows?
# --------------------------
# Inertia falls with every further cluster, so the lowest inertia says nothing. It falls fast while
# new clusters separate groups, and slowly once they cut groups in two. The bend between the two is
# the elbow.

n_clusters = range(1, 13)
inertia = [
    KMeans(n_clusters=k, n_init=10, random_state=10).fit(X_training).inertia_ for k in n_clusters
]
display = ElbowDisplay(n_clusters, inertia).plot()

# %%
# Here the bend is plain, because the groups lie apart. Data without any groups has a curve, too,
# and often a weaker bend: an elbow is a hint and not a proof.
print(f"sharpest bend: K = {display.bend}")

# %%
# `choose_k` weighs more evidence than the elbow, and can answer that there are no clusters.

choice = choose_k(X_training, random_state=10)
print(choice.summary())

# %%
# The evidence as a picture, with the elbow of data that has no clusters as a grey band.

display = KChoiceDisplay(choice, choice.null_band()).plot()

# %%
# Everything on this page, and more, stands in the report that ``centroids demo`` writes: one HTML
# page in which one can choose a cluster and replay the fit. `write_report` makes one from Python.
