"""Papers cited by the built-in components and recipes."""

from __future__ import annotations

from avelzoo.plugin.papers import Paper

PAPERS: tuple[Paper, ...] = (
    Paper(
        key="ge2023",
        authors="S. Ge, Z. Jiang, Y. Yin, C. Wang, Z. Cheng, Q. Gu",
        title="Learning Event-Specific Localization Preferences for Audio-Visual Event Localization",
        venue="ACM Multimedia",
        year=2023,
        doi="10.1145/3581783.3612506",
        code="ShipingGe/AVEL",
    ),
    Paper(
        key="avel2018",
        authors="Y. Tian, J. Shi, B. Li, Z. Duan, C. Xu",
        title="Audio-Visual Event Localization in Unconstrained Videos",
        venue="ECCV",
        year=2018,
        doi="10.1007/978-3-030-01216-8_16",
        code="YapengTian/AVE-ECCV18",
    ),
    Paper(
        key="ovavel2025",
        authors="J. Zhou, D. Guo, R. Guo, Y. Mao, J. Hu, Y. Zhong, X. Chang, M. Wang",
        title="Towards Open-Vocabulary Audio-Visual Event Localization",
        venue="CVPR",
        year=2025,
        code="jasongief/OV-AVEL",
    ),
    Paper(
        key="av2a2025",
        authors="E. Shaar, A. Shaulov, G. Chechik, L. Wolf",
        title="Adapting to the Unknown: Training-Free Audio-Visual Event Perception with Dynamic Thresholds",
        venue="CVPR",
        year=2025,
        code="eitan159/AV2A",
    ),
    Paper(
        key="hershey2017",
        authors="S. Hershey et al.",
        title="CNN Architectures for Large-Scale Audio Classification",
        venue="ICASSP",
        year=2017,
        doi="10.1109/ICASSP.2017.7952132",
    ),
    Paper(
        key="kong2020",
        authors="Q. Kong, Y. Cao, T. Iqbal, Y. Wang, W. Wang, M. D. Plumbley",
        title="PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern Recognition",
        venue="IEEE/ACM TASLP",
        year=2020,
        doi="10.1109/TASLP.2020.3030497",
        code="qiuqiangkong/audioset_tagging_cnn",
    ),
)
