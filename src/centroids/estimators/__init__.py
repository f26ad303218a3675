"""Estimators: validate, seed, loop, store; one public class per file.

`kmeans`, `mini_batch` and `bisecting` hold ``KMeans``, ``MiniBatchKMeans`` and ``BisectingKMeans``;
`nearest_center` what all of them do with new rows, `learned` replaces what they know whole or not
at all, `metrics` has the two metrics. `parameters` has rules for constructor parameters, `runs` the
restarts, the progress and the interruption of a fit, `splits` the tree of bisecting, `first_rows`,
`batches`, `running_sums`, `light_clusters` and `stream` the steps of mini-batches. `parts` takes
fitted models apart, pipelines included; `preparing` fits and applies what comes before a clusterer,
of which `logarithms` is ours; `nearness` and `spread` say how far rows lie from centers,
`alignment` keeps numbers and names across fits, `quotas` shares samples out among clusters; `saved`
(with `storable`, `plain_data`) turns models into files and back. The maths is in the core
(``centroids._core``), the checks of user data are in `rows`.

No plots, no choice of K and no comparison with classes live here. Called by users, by `choosing_k`
and, through the public names, by `cli`.
"""
