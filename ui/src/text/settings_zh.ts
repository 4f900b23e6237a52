/** 设置页面的中文文字。 */
import type { settingsEn } from "./settings_en";

export const settingsZh: typeof settingsEn = {
  sections: {
    storage: "存储文件夹",
    look: "外观与语言",
    notifications: "通知",
    shortcuts: "键盘",
    about: "关于与诊断",
  },
  sectionsLabel: "设置的各部分",
  storage: {
    shown: "当前显示",
    recent: "最近的文件夹",
    none: "还没有显示过其他文件夹。",
    show: "显示 {path}",
    choose: "选择其他文件夹…",
    shared: "Python SDK 读取同一设置：在此选择的文件夹就是新实验记录的位置。",
    source: { files: "实验从其文件读取。", database: "实验从 SDK 的数据库和文件读取。" },
  },
  look: { hint: "每项更改立即生效，并保留在此浏览器或窗口中。" },
  shortcuts: { find: "查找按键", none: "没有按键执行此操作。" },
  about: {
    version: "版本",
    address: "地址",
    state: "状态文件夹",
    python: "SDK 配置",
    window: "窗口",
    windowYes: "桌面应用",
    windowNo: "浏览器",
    api: "API 参考",
    apiHint: "此服务器的全部接口，可阅读和试用",
    logs: "查看器的日志",
    log: "日志",
    copy: "复制以便报告",
    copied: "已复制 {n} 行",
    empty: "还没有任何输出。",
    noLog: "此查看器不保存日志文件。",
  },
};
