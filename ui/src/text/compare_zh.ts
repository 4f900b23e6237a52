/** 对比页面的文字（简体中文）。 */
import type { CompareText } from "./compare_en";

export const compareZh: CompareText = {
  title: "对比",
  count: "{n} 个实验",
  tabsLabel: "对比的各部分",
  tabs: { charts: "图表", changed: "差异" },
  choose: {
    title: "选择要对比的实验",
    detail:
      "在实验页面用空格键或鼠标勾选两个或更多实验，然后按 C。它们的曲线会画在同一张图表中，配置的差异列在同一张表里。",
    go: "前往实验列表",
  },
  limit: "只对比前 {n} 个实验；此地址中另有 {left} 个未列入。",
  list: {
    label: "对比的实验",
    show: "显示 {name}",
    remove: "将 {name} 移出对比",
    all: "全部显示",
    none: "全部隐藏",
    gone: "这里没有该编号的实验",
    failed: "未加载：{detail}",
    again: "重新加载 {name}",
    add: "在实验页面添加或更改实验（Esc）",
  },
  gone: {
    title: "这里没有这些实验",
    detail: "它们可能已被删除、移动到别的存储，或者链接有误。",
  },
  charts: {
    lines: "{n} 个实验",
    linesOf: "{n} / {all} 个实验",
    allHidden: "此图表中的实验均已隐藏",
    noneTitle: "还没有指标",
    noneDetail: "这些实验都没有记录数值。",
    chart: {
      summary: "{lines} 个实验，绘制 {points} 个点，从 {low} 到 {high}",
      nothing: "这里没有点",
      hidden: "{n} 个值不大于 0",
      keys: "ArrowLeft ArrowRight ArrowUp ArrowDown + - 0 Escape",
      more: "另有 {n} 个",
    },
  },
  changed: {
    sections: { config: "配置", summary: "摘要", environment: "环境" },
    key: "名称",
    search: "查找名称和值",
    equal: "{n} 个相同的值",
    differing: "{n} 项不同",
    allEqual: "这里没有差异。",
    absent: "未记录",
    none: "没有可对比的内容",
    noneDetail: "这些实验没有记录配置、摘要或环境。可用 run.log_config(…) 和 run.summary(…) 记录。",
    noneFound: "没有内容包含“{search}”。",
    clear: "清除搜索",
    onlyOne: "只有一个实验时没有差异。请在实验页面再添加一个。",
    mark: "{value}，不同",
  },
};
